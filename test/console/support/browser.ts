import { execFileSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** Starts the system's Chromium, which is installed first if that is possible. */
export function launchBrowser(): Promise<Browser> {
  const executablePath = found() ?? installed()
  // As root, as in a container, Chromium only runs without its sandbox.
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
}

function found(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const places = [process.env['CHROMIUM'], ...NAMES.flatMap((name) => folders.map((folder) => join(folder, name)))]
  return places.find((place) => place !== undefined && place !== '' && canRun(place))
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function installed(): string {
  const install = ['install', '-y', '--no-install-recommends', 'chromium']
  // The lists of packages may be missing or old.
  if (!aptGet(install) && aptGet(['update'])) aptGet(install)
  const path = found()
  if (path === undefined)
    throw new Error(
      'These tests need Chromium. Install it (Debian and Ubuntu: sudo apt-get install chromium), or set CHROMIUM to its path.',
    )
  return path
}

function aptGet(args: readonly string[]): boolean {
  try {
    execFileSync('apt-get', args, { stdio: 'ignore' })
    return true
  } catch {
    // What is found afterwards decides; if there is nothing, the message says what to do.
    return false
  }
}
