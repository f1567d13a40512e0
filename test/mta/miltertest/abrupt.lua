-- A peer that vanishes in the middle of a message leaves the milter serving the next.
for _ = 1, 3 do
  local conn = open(6, nil, nil)
  client(conn, "198.51.100.7", "Jupiter")
  mail(conn)
  want(conn, SMFIR_CONTINUE, "MAIL")
  mt.disconnect(conn, false)
end
local conn = open(6, nil, nil)
client(conn, "198.51.100.7", "mail.sender.org")
mt.disconnect(conn)
