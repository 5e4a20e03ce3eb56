/**
 * What Kitbag puts onto a machine that it has to give back is listed there, line by line, before it is put: `made PATH` was not there
 * before, `kept PATH` was (its copy lies below `kept`), `found PATH` is a folder and stays, with what is `own` in it; `newuser`, `newgroup`; `unit NAME`
 * with how it was, active and enabled; `package`, `puser`, `pgroup` came with a package installation.
 */
export const manifestFolder = '/var/lib/kitbag'
export const manifestFile = `${manifestFolder}/manifest`
/** What was in the folders of configuration, data and logs when the machine was claimed: one path a line, sorted. */
export const beforeFile = `${manifestFolder}/before`
export const keptFolder = `${manifestFolder}/kept`

/**
 * Shell functions: `kb_packages_begin` notes what is installed, `kb_packages_end` lists what has come since, also for a program that
 * was cut off in between. What somebody else installed between two programs is nobody's of Kitbag.
 */
export const packageFunctions = `kb_packages_now() {
  {
    dpkg-query -W -f='\${db:Status-Status} package \${Package}\\n' | sed -n 's/^installed //p'
    sed 's/:.*//; s/^/puser /' /etc/passwd
    sed 's/:.*//; s/^/pgroup /' /etc/group
  } | LC_ALL=C sort -u
}
kb_packages_begin() {
  [ ! -e ${manifestFolder}/packages.open ] || kb_packages_end
  if [ ! -e ${manifestFolder}/packages ] || [ ! ${manifestFolder}/packages -nt /var/lib/dpkg/status ]; then
    kb_packages_now >${manifestFolder}/packages.new && mv -f ${manifestFolder}/packages.new ${manifestFolder}/packages || return 1
  fi
  : >${manifestFolder}/packages.open
}
kb_packages_end() {
  if [ -e ${manifestFolder}/packages.open ] && [ ! ${manifestFolder}/packages -nt /var/lib/dpkg/status ]; then
    kb_packages_now >${manifestFolder}/packages.new
    LC_ALL=C comm -13 ${manifestFolder}/packages ${manifestFolder}/packages.new >>${manifestFile}
    mv -f ${manifestFolder}/packages.new ${manifestFolder}/packages
  fi
  rm -f ${manifestFolder}/packages.open
}
`
