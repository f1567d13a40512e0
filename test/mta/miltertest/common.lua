-- What the scripts share: PORT comes from the command line (-D PORT=...).
function open(version, actions, steps)
  local conn = mt.connect("inet:" .. PORT .. "@127.0.0.1", 40, 0.05)
  assert(conn ~= nil, "cannot connect")
  assert(mt.negotiate(conn, version, actions, steps) == nil, "negotiation failed")
  return conn
end

function client(conn, address, helo)
  mt.macro(conn, SMFIC_CONNECT, "j", "mx.dest.test")
  assert(mt.conninfo(conn, "unknown", address) == nil, "CONNECT failed")
  want(conn, SMFIR_CONTINUE, "CONNECT")
  assert(mt.helo(conn, helo) == nil, "HELO failed")
  want(conn, SMFIR_CONTINUE, "HELO")
end

function mail(conn)
  mt.macro(conn, SMFIC_MAIL, "i", "4QxYz")
  assert(mt.mailfrom(conn, "<sender@sender.org>", "SIZE=10") == nil, "MAIL failed")
end

function want(conn, reply, where)
  local got = mt.getreply(conn)
  if got ~= reply then
    error(where .. ": want " .. string.char(reply) .. ", got " .. string.char(got))
  end
end

-- The end of a message, which may take changes.
function accepted(conn)
  assert(mt.eom(conn) == nil, "end of message failed")
  want(conn, SMFIR_ACCEPT, "end of message")
end
