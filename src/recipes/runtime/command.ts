/**
 * Commands. `kb_setting` and the functions after it are defined anew for each.
 */
export const command = `kb_command() {
  [ -z "$1" ] || [ ! -e "$1" ] || { kb_ok; return; }
  [ "$2" = 0 ] || ! (kb_unless) >"$L" 2>&1 3>&- 9>&- || { kb_ok; return; }
  [ "$3" = 0 ] || (kb_only_if) >"$L" 2>&1 3>&- 9>&- || { kb_ok; return; }
  if [ $MODE = check ]; then
    [ "$4" = 0 ] || { kb_ok; return; }
    kb_mark
    [ -z "$6" ] || kb_unmark "restart:$6" "reload:$6"
    kb_changed '"would run"'
    return
  fi
  kb_mark
  kb_reload_units
  kb_flush
  kb_stale
  if [ "$5" = 1 ]; then kb_stdin | (kb_do) >"$L" 2>&1 3>&- 9>&-
  else (kb_do) >"$L" 2>&1 3>&- 9>&-; fi || { kb_fail "the command failed with status $?" log; return 1; }
  [ -z "$6" ] || kb_unmark "restart:$6" "reload:$6"
  kb_changed '"run"'
}
`
