#!/usr/bin/env node
// From a fresh clone to a running command: `node scripts/run.mjs demo|test|bench|check [arguments]`. Uses Node's own modules only,
// because nothing else is installed yet when it starts.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [command = '', ...rest] = process.argv.slice(2)

/** Ends with one sentence that says what is missing and what to do. */
function fail(sentence) {
  console.error(`kitbag: ${sentence}`)
  process.exit(1)
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(`Node ${process.versions.node} is too old: install Node 20.19 or newer and run this again.`)
  }
}

/** Runs a program; its output goes to stderr, so that the last line of stdout stays the command's own. */
function run(program, args, { quiet = false, stdout = 2, env = {} } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: quiet ? ['ignore', 'pipe', 'pipe'] : ['inherit', stdout, 2],
    })
    let output = ''
    child.stdout?.on('data', (chunk) => (output += chunk))
    child.stderr?.on('data', (chunk) => (output += chunk))
    const forward = (signal) => child.kill(signal)
    process.on('SIGTERM', forward)
    // Ctrl-C reaches the child by itself: it is in the same foreground group. Only do not die before it.
    process.on('SIGINT', () => {})
    child.on('error', (error) => resolve({ status: 127, output: error.message }))
    child.on('close', (status, signal) => resolve({ status: status ?? (signal ? 1 : 0), output }))
  })
}

/** Whether somebody listens where npm fetches packages from. */
async function registryAnswers() {
  const { output } = await run('npm', ['config', 'get', 'registry'], { quiet: true })
  const address = output.split('\n').find((line) => URL.canParse(line.trim()))
  if (address === undefined) return true
  const { protocol, hostname, port } = new URL(address.trim())
  return new Promise((resolve) => {
    const socket = connect({
      host: hostname,
      port: Number(port) || (protocol === 'https:' ? 443 : 80),
      timeout: 10_000,
    })
    const end = (answers) => {
      socket.destroy()
      resolve(answers)
    }
    socket.on('connect', () => end(true))
    socket.on('error', () => end(false))
    socket.on('timeout', () => end(false))
  })
}

async function installDependencies() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  const stamp = join(root, 'node_modules', '.kitbag-lock')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return
  console.error('setup  npm packages: installing')
  // Not `npm ci`: it refuses a lockfile without the optional packages of platforms that this registry does not carry.
  const words = ['install', '--no-save', '--no-audit', '--no-fund']
  // npm would try for minutes to reach a registry that is away; what it keeps of earlier times may be all that is needed.
  if (!(await registryAnswers())) words.push('--prefer-offline', '--fetch-retries=0')
  const { status, output } = await run('npm', words, { quiet: true })
  if (status !== 0) {
    const reason =
      output.split('\n').find((line) => /npm (error|ERR!) (code|network|\S+ .*)/.test(line)) ?? 'no reason given'
    fail(
      `the npm packages could not be installed (${reason.trim()}): check that the npm registry can be reached and run this again.`,
    )
  }
  writeFileSync(stamp, lock)
}

async function build() {
  const { status, output } = await run(process.execPath, ['scripts/build.mjs'], { quiet: true })
  if (status !== 0) fail(`the build failed:\n${output}`)
}

/** Real programs that tests run: Debian package -> a file that it brings. None of them is started or enabled as a service. */
const testPackages = {
  busybox: '/bin/busybox',
  haproxy: '/usr/sbin/haproxy',
  'openssh-server': '/usr/sbin/sshd',
  dnsutils: '/usr/bin/dig',
  curl: '/usr/bin/curl',
  'chromium-headless-shell': '/usr/bin/chromium-headless-shell',
}

async function installTestPackages() {
  const missing = Object.entries(testPackages)
    .filter(([, file]) => !existsSync(file))
    .map(([name]) => name)
  // The test clouds' control planes are Python programs in environments of their own.
  const { status: noPython } = await run('python3', ['-c', 'import ensurepip, venv'], { quiet: true })
  if (noPython !== 0) missing.push('python3-venv')
  if (missing.length === 0 || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return
  console.error(`setup  test packages: ${missing.join(' ')}`)
  const policy = '/usr/sbin/policy-rc.d'
  const mine = !existsSync(policy)
  if (mine) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    const env = { DEBIAN_FRONTEND: 'noninteractive' }
    await run('apt-get', ['update', '-qq'], { quiet: true, env })
    const { status, output } = await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], {
      quiet: true,
      env,
    })
    if (status !== 0) fail(`apt-get could not install ${missing.join(' ')}: ${output.trim().split('\n').at(-1)}`)
    if (existsSync('/run/systemd/system')) {
      for (const unit of ['haproxy', 'ssh'].filter((name) => missing.some((p) => p.includes(name)))) {
        await run('systemctl', ['disable', unit], { quiet: true })
      }
    }
  } finally {
    if (mine) rmSync(policy)
  }
}

/** What the tests need of the box: the host packages, both machine images and the Temporal server, side by side. */
async function setUpForTests() {
  await installTestPackages()
  const { status } = await run(join(root, 'bin/kitbag'), ['setup'])
  if (status !== 0) process.exit(status)
}

/** Types and style, for CI and before a commit. */
async function check() {
  const bin = (name) => join(root, 'node_modules/.bin', name)
  const results = await Promise.all([
    run(bin('tsc'), ['--noEmit', '-p', '.'], { stdout: 1 }),
    run(bin('biome'), ['check', '.'], { stdout: 1 }),
  ])
  return results.find(({ status }) => status !== 0)?.status ?? 0
}

async function main() {
  checkNode()
  if (!['demo', 'test', 'bench', 'check'].includes(command))
    fail(`unknown command "${command}": use demo, test, bench or check.`)
  await installDependencies()
  if (command === 'check') return check()
  await build()
  if (command === 'test') {
    await setUpForTests()
    const vitest = join(root, 'node_modules/vitest/vitest.mjs')
    return (await run(process.execPath, [vitest, 'run', ...rest], { stdout: 1 })).status
  }
  return (await run(process.execPath, [join(root, `dist/${command}.js`), ...rest], { stdout: 1 })).status
}

process.exit(await main())
