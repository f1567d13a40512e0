# Sieve (RFC 5228): files mail by the stream that helo-milter has written into it. Replace mx.example.org with
# the name of your MTA (or your --authserv-id). Fields that pretend to be ours have been removed, so the name
# can be trusted. Sieve decodes encoded words (RFC 2047) before it compares, so only the topmost field that
# could be ours counts: ours is above everything that the sender wrote. Two fields of other filters may be
# above it; for more, add a step.
require ["fileinto", "index"];

if header :index 1 :matches "Authentication-Results" "mx.example.org; x-helo=*" {
    if header :index 1 :matches "Authentication-Results" "mx.example.org; x-helo=* policy.stream=failed*" {
        fileinto "Junk";
    }
} elsif header :index 2 :matches "Authentication-Results" "mx.example.org; x-helo=*" {
    if header :index 2 :matches "Authentication-Results" "mx.example.org; x-helo=* policy.stream=failed*" {
        fileinto "Junk";
    }
} elsif header :index 3 :matches "Authentication-Results" "mx.example.org; x-helo=* policy.stream=failed*" {
    fileinto "Junk";
}
