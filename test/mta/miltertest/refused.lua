-- A name that is none is refused at RCPT, not before, and again for the next message.
local conn = open(6, nil, nil)
client(conn, "198.51.100.7", "Jupiter")
for _ = 1, 2 do
  mail(conn)
  want(conn, SMFIR_CONTINUE, "MAIL")
  mt.rcptto(conn, "<user@dest.test>")
  want(conn, SMFIR_REPLYCODE, "RCPT")
  mt.rcptto(conn, "<postmaster@dest.test>")
  want(conn, SMFIR_CONTINUE, "RCPT of postmaster")
  mt.abort(conn)
end
mt.disconnect(conn)
