/**
 * Every program begins with this: events, notifications, the lock, the end. In `kb_` functions `I` and `R` are the resource's place and
 * name (JSON text), `P` its path, `Q` the notifications to fire when it changes. Descriptor 3 is the event stream, 9 the lock.
 */
export const core = `set -u -f
export LC_ALL=C.UTF-8 QUOTING_STYLE=literal DEBIAN_FRONTEND=noninteractive PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 022
exec 3>&1 1>&2 </dev/null
nl='
'
RUN=/run/kitbag PD=/var/lib/kitbag/pending C=0 E= W= PW= I=0 R=host P= LR=0
L=$RUN/log X=$RUN/stop.$N
kb_flush() { [ -z "$E" ] || { printf %s "$E" >&3; E=; }; }
kb_ok() { E="$E$N {\\"index\\":$I,\\"resource\\":\\"$R\\",\\"status\\":\\"ok\\",\\"changes\\":[]}$nl"; }
kb_changed() {
  kb_flush
  C=$((C + 1))
  printf '%s {"index":%s,"resource":"%s","status":"changed","changes":[%s]%s}\\n' "$N" "$I" "$R" "$1" "\${2:+,\\"diff\\":\\"$2\\"}" >&3
}
kb_json() {
  { iconv -c -f UTF-8 -t UTF-8 2>/dev/null || LC_ALL=C tr -d '\\200-\\377'; } | tr -d '\\000-\\010\\013\\014\\016-\\037\\177' |
    sed -e 's/\\\\/\\\\\\\\/g' -e 's/"/\\\\"/g' -e 's/\\t/\\\\t/g' -e 's/\\r/\\\\r/g' -e '$!s/$/\\\\n/' | tr -d '\\n'
}
kb_fail() {
  kb_flush
  o=$({ printf '%s\\n' "$1"; [ "\${2-}" != log ] || tail -c 8192 "$L" | tail -n 20; } | kb_json)
  printf '%s {"index":%s,"resource":"%s","status":"failed","changes":[],"output":"%s"}\\n' "$N" "$I" "$R" "$o" >&3
  [ $MODE = check ] || kb_end
}
kb_end() {
  kb_flush
  printf '%s {"end":true%s,"changed":%s}\\n' "$N" "\${1-}" "$C" >&3
  [ ! -e "$X" ] || rm -f "$X"
  exit 0
}
kb_at() { I=$1 R=$2 Q=\${3-} W=; [ ! -e "$X" ] || kb_end ',"stopped":true'; }
kb_run() { "$@" >"$L" 2>&1 3>&- 9>&-; }
kb_word() { W="$W\${W:+,}\\"$1\\""; }
kb_begin() {
  [ -d $RUN ] || mkdir -m 0700 $RUN || { kb_fail "cannot make $RUN: is this root?"; exit 1; }
  exec 9>$RUN/lock
  flock -n 9 && return
  printf '%s {"lock":"waiting"}\\n' "$N" >&3
  until flock -w 1 9; do [ ! -e "$X" ] || kb_end ',"stopped":true'; done
}
kb_mark() {
  [ -n "$Q" ] || return 0
  for q in $Q; do
    case $MODE$PW in
      check*" $q "*) ;;
      check*) PW="$PW $q " ;;
      *) [ -d $PD ] || mkdir -p $PD; : >"$PD/$q" ;;
    esac
  done
}
kb_unmark() {
  for q; do
    case $PW in *" $q "*) PW="\${PW%%" $q "*} \${PW#*" $q "}" ;; esac
    [ $MODE = check ] || [ ! -e "$PD/$q" ] || rm -f "$PD/$q"
  done
}
kb_fire() {
  q=$1:$2
  case $PW in *" $q "*) ;; *) [ -e "$PD/$q" ] || return 0 ;; esac
  [ "$3" = 0 ] || { kb_unmark "$q"; return; }
  [ $MODE = apply ] || { kb_changed "\\"would $1\\""; return; }
  kb_reload_units
  v=$1
  [ $v = restart ] || v=reload-or-restart
  kb_flush
  kb_systemctl $v "$2" || { kb_fail "systemctl $v $2 failed" log; return 1; }
  if [ $v = restart ]; then kb_unmark "$q" "reload:$2"; else kb_unmark "$q"; fi
  kb_changed "\\"$1\\""
}
kb_systemctl() {
  kb_run systemctl "$@" && return
  while [ $# -gt 1 ]; do shift; done
  systemctl status --no-pager -n 15 "$1" >>"$L" 2>&1 3>&- 9>&-
  return 1
}
kb_reload_units() {
  [ $MODE = apply ] && { [ -e $PD/daemon-reload ] || [ "\${1-}$LR" = last1 ]; } || return 0
  kb_run systemctl daemon-reload || kb_fail 'systemctl daemon-reload failed' log
  rm -f $PD/daemon-reload
  US=0 LR=0
}
kb_stale() { DS=0 FS=0 YS=0 ZS=0 US=0; }
kb_stale
`
