#!/bin/sh
# Reads `IP<TAB>SENDER<TAB>DOMAIN` lines, writes what libspf2 says about each. It asks the server that
# /etc/resolv.conf names, at port 53: the argument is a file to put there, for this process alone.
mount --bind "$1" /etc/resolv.conf || exit 1
tab=$(printf '\t')
while IFS=$tab read -r ip sender domain; do
  # What it has to say of errors comes before the result.
  result=$(spfquery.libspf2 -ip "$ip" -sender "$sender" -helo "$domain" 2>/dev/null |
    sed '/^StartError/,/^EndError/d' | head -n 1)
  echo "${result:-nothing}"
done
