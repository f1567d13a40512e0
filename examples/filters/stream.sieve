# Sieve (RFC 5228): files mail by the stream that helo-milter has written into it. Replace mx.example.org by the name of
# your MTA (or your --authserv-id). A field that pretends to be ours has been taken off, so the name can be trusted.
require ["fileinto"];

if header :matches "Authentication-Results" "mx.example.org; x-helo=* policy.stream=failed*" {
    fileinto "Junk";
}
