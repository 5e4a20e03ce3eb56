#!/bin/sh
# Written by Kitbag. Brings the rules of /etc/kitbag/firewall into force: all at once, or the addresses alone where only they are new.
set -eu
wanted=/etc/kitbag/firewall kept=/var/lib/kitbag/firewall trial=/run/kitbag-firewall.trial
exec 8>/run/kitbag-firewall.lock
flock 8

same() { cmp -s "$wanted/$1.nft" "$kept/$1.nft"; }
loaded() { nft list chain inet kitbag services >/dev/null 2>&1; }
# In one transaction: there is no moment without rules.
whole() {
    printf 'add table inet kitbag\ndelete table inet kitbag\n'
    cat "$wanted/base.nft" "$wanted/services.nft" "$wanted/addresses.nft"
}
keep() {
    mkdir -p "$kept"
    whole >"$kept/table.nft.new"
    mv "$kept/table.nft.new" "$kept/table.nft"
    cp "$wanted/services.nft" "$wanted/addresses.nft" "$wanted/base.nft" "$kept"
}
end_trial() {
    rm -f "$trial"
    systemctl stop kitbag-firewall-rollback.timer 2>/dev/null || true
}

case $1 in
tried) same base ;;
# Rules that SSH depends on: they go by themselves, within 10 s, unless somebody logs in and confirms them.
try)
    end_trial
    systemctl reset-failed 'kitbag-firewall-rollback.*' 2>/dev/null || true
    : >"$trial"
    systemd-run --quiet --collect --unit=kitbag-firewall-rollback --on-active=9s --timer-property=AccuracySec=100ms \
        /usr/local/lib/kitbag/firewall rollback
    whole | nft -f - || { end_trial; exit 1; }
    ;;
# Says 3, and which rule it is, when it is too late.
confirm)
    if [ -e "$trial" ]; then
        keep
        end_trial
        systemctl start kitbag-firewall.service
    elif ! same base; then
        grep dport.*ssh "$wanted/base.nft"
        exit 3
    fi
    ;;
rollback)
    [ -e "$trial" ] || exit 0
    rm -f "$trial"
    if [ -e "$kept/table.nft" ]; then nft -f "$kept/table.nft"; else nft delete table inet kitbag; fi
    ;;
# What is on trial holds all of it already.
followed) [ -e "$trial" ] || ! same base || { same services && same addresses && loaded; } ;;
follow)
    if same services && loaded; then
        { sed -n 's/^    set \([^ ]*\) .*/flush set inet kitbag \1/p' "$wanted/addresses.nft"; cat "$wanted/addresses.nft"; } | nft -f -
    else
        whole | nft -f -
    fi
    keep
    ;;
esac
