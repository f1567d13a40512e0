-- A host whose name is its own is accepted, in every version of the protocol.
for _, offer in ipairs({ { 2, 0x3f, 0x7f }, { 4, 0x3f, 0x3ff }, { 6, nil, nil } }) do
  local conn = open(offer[1], offer[2], offer[3])
  client(conn, "198.51.100.7", "mail.sender.org")
  mail(conn)
  local reply = mt.getreply(conn)
  if reply == SMFIR_CONTINUE then
    assert(mt.rcptto(conn, "<user@dest.test>") == nil, "RCPT failed")
    reply = mt.getreply(conn)
  end
  if reply ~= SMFIR_ACCEPT then
    error("version " .. offer[1] .. ": want accept, got " .. string.char(reply))
  end
  mt.disconnect(conn)
end
