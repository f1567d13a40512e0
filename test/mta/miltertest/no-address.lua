-- A client without an address (family U) is not judged by it, and never refused for want of one.
local conn = open(6, nil, nil)
client(conn, "unspec", "mail.sender.org")
mail(conn)
want(conn, SMFIR_CONTINUE, "MAIL")
mt.rcptto(conn, "<user@dest.test>")
want(conn, SMFIR_CONTINUE, "RCPT")
accepted(conn)
mt.disconnect(conn)
