/**
 * Users and groups.
 */
export const account = `kb_user() {
  [ $YS = 1 ] || kb_users
  n=$1 system=$2 home=$3 shell=$4 group=$5
  shift 5
  l=\${Y#*"$nl$n:"}
  g=
  if [ "$l" != "$Y" ]; then
    l=\${l%%"$nl"*}
    s=\${l##*:} l=\${l%:*}
    [ -z "$home" ] || [ "\${l##*:}" = "$home" ] || kb_word "home \${l##*:} -> $home"
    [ -z "$shell" ] || [ "$s" = "$shell" ] || kb_word "shell $s -> $shell"
    new=0
  else
    kb_word created
    new=1
  fi
  [ $new$# = 00 ] || [ $ZS = 1 ] || kb_groups
  for x; do
    m=\${Z#*"$nl$x:"}
    [ "$m" != "$Z" ] && m=\${m%%"$nl"*} || m=
    case ,\${m##*:}, in *",$n,"*) ;; *) g="$g,$x"; [ $new = 1 ] || kb_word "group $x" ;; esac
  done
  g=\${g#,}
  [ -n "$W" ] || { kb_ok; return; }
  kb_mark
  [ $MODE = apply ] || { kb_changed "$W"; return; }
  if [ $new = 1 ]; then
    set -- --no-create-home --home-dir "\${home:-/nonexistent}" --shell "\${shell:-/usr/sbin/nologin}"
    [ $system = 0 ] || set -- --system "$@"
    if [ -n "$group" ]; then set -- --gid "$group" "$@"
    else case $Z in *"$nl$n:"*) set -- --gid "$n" "$@" ;; *) set -- --user-group "$@" ;; esac; fi
    kb_run useradd \${g:+--groups "$g"} "$@" -- "$n"
  else
    kb_run usermod \${home:+--home "$home"} \${shell:+--shell "$shell"} \${g:+--append --groups "$g"} -- "$n"
  fi || { kb_fail "cannot make or change the user $n" log; return 1; }
  YS=0 ZS=0
  kb_changed "$W"
}
kb_group() {
  [ $ZS = 1 ] || kb_groups
  case $Z in *"$nl$1:"*) kb_ok; return ;; esac
  kb_mark
  [ $MODE = check ] || kb_run groupadd $([ "$2" = 0 ] || printf %s --system) -- "$1" || { kb_fail "cannot make the group $1" log; return 1; }
  YS=0 ZS=0
  kb_changed '"created"'
}
`
