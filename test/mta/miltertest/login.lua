-- Who has logged in is accepted whatever it says.
local conn = open(6, nil, nil)
client(conn, "198.51.100.7", "Jupiter")
mt.macro(conn, SMFIC_MAIL, "i", "4QxYz", "{auth_authen}", "bob")
mt.mailfrom(conn, "<bob@dest.test>")
want(conn, SMFIR_ACCEPT, "MAIL")
mt.disconnect(conn)
