-- A host whose name is its own is accepted and tagged, in every version of the protocol.
for _, offer in ipairs({ { 2, 0x3f, 0x7f }, { 3, 0x3f, 0xff }, { 4, 0x3f, 0x3ff }, { 6, nil, nil } }) do
  local conn = open(offer[1], offer[2], offer[3])
  client(conn, "198.51.100.7", "mail.sender.org")
  mail(conn)
  want(conn, SMFIR_CONTINUE, "MAIL")
  assert(mt.rcptto(conn, "<user@dest.test>") == nil, "RCPT failed")
  want(conn, SMFIR_CONTINUE, "RCPT")
  accepted(conn)
  assert(mt.eom_check(conn, MT_HDRINSERT, "Authentication-Results"), "no tag")
  mt.disconnect(conn)
end
