# bash completion for helo-milter. Generated from the option table; do not edit.
_helo_milter() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command='' word
  # Bash takes "=" for a word of its own, in --flag=VALUE as in ID=VALUE.
  if [ "$current" = '=' ]; then current=''; else [ "$previous" != '=' ] || previous=${COMP_WORDS[COMP_CWORD - 2]}; fi
  case $previous in
    --weight)
      compopt -o nospace 2>/dev/null
      COMPREPLY=($(compgen -S = -W 'helo-missing helo-syntax helo-underscore helo-trailing-dot helo-bare-ip helo-literal-malformed helo-literal-private helo-literal helo-not-fqdn helo-special-use helo-numeric-tld helo-public-suffix helo-dynamic helo-unregistered helo-nxdomain helo-no-address helo-private-address helo-alias helo-spf-fail helo-spf-softfail helo-spf-permerror helo-csa-fail helo-auth-fail helo-mismatch helo-literal-mismatch iprev-fail iprev-none iprev-other-name iprev-generic helo-claims-us helo-changed helo-churn helo-denied dns-share forged-results stream-unverified stream-failed stream-limit dns-temperror' -- "$current"))
      return
      ;;
    --ramp)
      compopt -o nospace 2>/dev/null
      COMPREPLY=($(compgen -S = -W 'helo-missing helo-syntax helo-underscore helo-trailing-dot helo-bare-ip helo-literal-malformed helo-literal-private helo-literal helo-not-fqdn helo-special-use helo-numeric-tld helo-public-suffix helo-dynamic helo-unregistered helo-nxdomain helo-no-address helo-private-address helo-alias helo-spf-fail helo-spf-softfail helo-spf-permerror helo-csa-fail helo-auth-fail helo-mismatch helo-literal-mismatch iprev-fail iprev-none iprev-other-name iprev-generic helo-claims-us helo-changed helo-churn helo-denied dns-share forged-results stream-unverified stream-failed stream-limit dns-temperror' -- "$current"))
      return
      ;;
    --stream-weight)
      compopt -o nospace 2>/dev/null
      COMPREPLY=($(compgen -S = -W 'helo-missing helo-syntax helo-underscore helo-trailing-dot helo-bare-ip helo-literal-malformed helo-literal-private helo-literal helo-not-fqdn helo-special-use helo-numeric-tld helo-public-suffix helo-dynamic helo-unregistered helo-nxdomain helo-no-address helo-private-address helo-alias helo-spf-fail helo-spf-softfail helo-spf-permerror helo-csa-fail helo-auth-fail helo-mismatch helo-literal-mismatch iprev-fail iprev-none iprev-other-name iprev-generic helo-claims-us helo-changed helo-churn helo-denied dns-share forged-results stream-unverified stream-failed stream-limit dns-temperror' -- "$current"))
      return
      ;;
    --stream-limit)
      compopt -o nospace 2>/dev/null
      COMPREPLY=($(compgen -S = -W 'helo-missing helo-syntax helo-underscore helo-trailing-dot helo-bare-ip helo-literal-malformed helo-literal-private helo-literal helo-not-fqdn helo-special-use helo-numeric-tld helo-public-suffix helo-dynamic helo-unregistered helo-nxdomain helo-no-address helo-private-address helo-alias helo-spf-fail helo-spf-softfail helo-spf-permerror helo-csa-fail helo-auth-fail helo-mismatch helo-literal-mismatch iprev-fail iprev-none iprev-other-name iprev-generic helo-claims-us helo-changed helo-churn helo-denied dns-share forged-results stream-unverified stream-failed stream-limit dns-temperror' -- "$current"))
      return
      ;;
    --reply-template)
      compopt -o nospace 2>/dev/null
      COMPREPLY=($(compgen -S = -W 'helo-missing helo-syntax helo-underscore helo-trailing-dot helo-bare-ip helo-literal-malformed helo-literal-private helo-literal helo-not-fqdn helo-special-use helo-numeric-tld helo-public-suffix helo-dynamic helo-unregistered helo-nxdomain helo-no-address helo-private-address helo-alias helo-spf-fail helo-spf-softfail helo-spf-permerror helo-csa-fail helo-auth-fail helo-mismatch helo-literal-mismatch iprev-fail iprev-none iprev-other-name iprev-generic helo-claims-us helo-changed helo-churn helo-denied dns-share forged-results stream-unverified stream-failed stream-limit dns-temperror' -- "$current"))
      return
      ;;
    --reply-code)
      compopt -o nospace 2>/dev/null
      COMPREPLY=($(compgen -S = -W 'helo-missing helo-syntax helo-underscore helo-trailing-dot helo-bare-ip helo-literal-malformed helo-literal-private helo-literal helo-not-fqdn helo-special-use helo-numeric-tld helo-public-suffix helo-dynamic helo-unregistered helo-nxdomain helo-no-address helo-private-address helo-alias helo-spf-fail helo-spf-softfail helo-spf-permerror helo-csa-fail helo-auth-fail helo-mismatch helo-literal-mismatch iprev-fail iprev-none iprev-other-name iprev-generic helo-claims-us helo-changed helo-churn helo-denied dns-share forged-results stream-unverified stream-failed stream-limit dns-temperror' -- "$current"))
      return
      ;;
    helo-missing | helo-syntax | helo-underscore | helo-trailing-dot | helo-bare-ip | helo-literal-malformed | helo-literal-private | helo-literal | helo-not-fqdn | helo-special-use | helo-numeric-tld | helo-public-suffix | helo-dynamic | helo-unregistered | helo-nxdomain | helo-no-address | helo-private-address | helo-alias | helo-spf-fail | helo-spf-softfail | helo-spf-permerror | helo-csa-fail | helo-auth-fail | helo-mismatch | helo-literal-mismatch | iprev-fail | iprev-none | iprev-other-name | iprev-generic | helo-claims-us | helo-changed | helo-churn | helo-denied | dns-share | forged-results | stream-unverified | stream-failed | stream-limit | dns-temperror) COMPREPLY=(); return ;;
    --apply-at) COMPREPLY=($(compgen -W 'helo mail rcpt' -- "$current")); return ;;
    --on-error) COMPREPLY=($(compgen -W 'continue tempfail' -- "$current")); return ;;
    --policy) COMPREPLY=($(compgen -W 'rfc5321 emailcore strict' -- "$current")); return ;;
    --require) COMPREPLY=($(compgen -W 'exact authorized aligned' -- "$current")); return ;;
    --shadow-policy) COMPREPLY=($(compgen -W 'rfc5321 emailcore strict' -- "$current")); return ;;
    --forged-results) COMPREPLY=($(compgen -W 'ours all none' -- "$current")); return ;;
    --log-format) COMPREPLY=($(compgen -W 'kv json' -- "$current")); return ;;
    --log-level) COMPREPLY=($(compgen -W 'error warning info debug' -- "$current")); return ;;
    --mask) COMPREPLY=($(compgen -W 'recipients' -- "$current")); return ;;
    --config | --cases | --pid-file | --regulars-file | --check | --access | --recipient-policy | --dns-zone | --store-password-file | --store-ca | --decision-log | --postfix | --postfix-config | --sendmail)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return
      ;;
    --listen | --socket-mode | --socket-group | --user | --group | --grace | --reject-at | --tempfail-at | --tempfail-limit | --enforce-percent | --regulars | --regulars-network | --churn-limit | --churn-window | --our-name | --our-address | --trust | --exempt-daemon | --dns-server | --nat64-prefix | --dns-timeout | --deadline | --cache-size | --cache-memory | --cache-min | --cache-max | --store | --store-share | --store-prefix | --store-timeout | --authserv-id | --self-test-recipient | --help-url | --contact | --trace-client | --http | --history | --recipient | --ref | --by | --rate | --top | --days | --mail | --letter | --bogus-name) COMPREPLY=(); return ;;
  esac
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
      check | publish | replay | report | doctor | regulars | findings | test) command=$word; break ;;
    esac
  done
  case $command in
    check) COMPREPLY=($(compgen -W '--config --no-config --policy --reject-at --tempfail-at --weight --require --stream-weight --txt-opts-out --observe --shadow-policy --regulars --regulars-file --regulars-network --check --our-name --our-address --trust --access --recipient-policy --dns-server --dns-zone --nat64-prefix --dns-timeout --deadline --store --store-password-file --store-ca --help-url --contact --reply-template --reply-code --json --recipient --ref --help' -- "$current")) ;;
    publish) COMPREPLY=($(compgen -W '--config --no-config --dns-server --dns-zone --dns-timeout --verify --help' -- "$current")) ;;
    replay) COMPREPLY=($(compgen -W '--received --by --rate --json --csv --top --config --no-config --policy --reject-at --tempfail-at --weight --require --tempfail-limit --ramp --stream-weight --stream-limit --txt-opts-out --observe --enforce-percent --shadow-policy --regulars --regulars-network --churn-limit --check --our-name --our-address --trust --access --recipient-policy --dns-server --dns-zone --nat64-prefix --dns-timeout --deadline --help' -- "$current")) ;;
    report) COMPREPLY=($(compgen -W '--days --top --html --mail --letter --json --config --no-config --policy --reject-at --tempfail-at --weight --require --tempfail-limit --ramp --stream-weight --stream-limit --txt-opts-out --observe --enforce-percent --shadow-policy --regulars --regulars-network --churn-limit --check --our-name --our-address --trust --access --recipient-policy --dns-server --dns-zone --nat64-prefix --dns-timeout --deadline --help-url --contact --mask --help' -- "$current")) ;;
    doctor) COMPREPLY=($(compgen -W '--postfix --postfix-config --sendmail --no-dns --no-probe --bogus-name --json --config --no-config --listen --socket-mode --socket-group --user --group --pid-file --apply-at --on-error --grace --policy --reject-at --tempfail-at --weight --require --tempfail-limit --ramp --stream-weight --stream-limit --txt-opts-out --observe --enforce-percent --shadow-policy --regulars --regulars-file --regulars-network --churn-limit --churn-window --check --our-name --our-address --trust --access --recipient-policy --exempt-daemon --dns-server --dns-zone --nat64-prefix --dns-timeout --deadline --cache-size --cache-memory --cache-min --cache-max --store --store-password-file --store-ca --store-share --store-prefix --store-timeout --authserv-id --forged-results --no-auth-results --self-test-recipient --help-url --contact --reply-template --reply-code --log-format --log-level --log-time --decision-log --trace-client --http --http-public --http-page --history --mask --help' -- "$current")) ;;
    regulars) COMPREPLY=($(compgen -W '--export --json --config --no-config --regulars --regulars-file --help' -- "$current")) ;;
    findings) COMPREPLY=($(compgen -W '--html --config --no-config --check --contact --help' -- "$current")) ;;
    test) COMPREPLY=($(compgen -W '--json --config --no-config --policy --reject-at --tempfail-at --weight --require --tempfail-limit --stream-weight --txt-opts-out --observe --enforce-percent --shadow-policy --churn-limit --check --our-name --our-address --trust --access --recipient-policy --dns-server --dns-zone --nat64-prefix --dns-timeout --deadline --help' -- "$current")) ;;
    *) COMPREPLY=($(compgen -W 'check publish replay report doctor regulars findings test --config --no-config --version --check-config --cases --print-config --list-findings --listen --socket-mode --socket-group --user --group --pid-file --apply-at --on-error --grace --policy --reject-at --tempfail-at --weight --require --tempfail-limit --ramp --stream-weight --stream-limit --txt-opts-out --observe --enforce-percent --shadow-policy --regulars --regulars-file --regulars-network --churn-limit --churn-window --check --our-name --our-address --trust --access --recipient-policy --exempt-daemon --dns-server --dns-zone --nat64-prefix --dns-timeout --deadline --cache-size --cache-memory --cache-min --cache-max --store --store-password-file --store-ca --store-share --store-prefix --store-timeout --authserv-id --forged-results --no-auth-results --self-test-recipient --help-url --contact --reply-template --reply-code --log-format --log-level --log-time --decision-log --trace-client --http --http-public --http-page --history --mask --help' -- "$current")) ;;
  esac
}
complete -F _helo_milter helo-milter
