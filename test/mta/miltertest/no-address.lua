-- A client without an address (family U) is not judged by it, and never refused for want of one.
local conn = open(6, nil, nil)
client(conn, "unspec", "mail.sender.org")
mail(conn)
local reply = mt.getreply(conn)
if reply == SMFIR_CONTINUE then
  mt.rcptto(conn, "<user@dest.test>")
  reply = mt.getreply(conn)
end
assert(reply == SMFIR_ACCEPT, "want accept")
mt.disconnect(conn)
