import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { existing } from './disk.ts'
import { type Examination, failed, ok, warning } from './examination.ts'

const OTHERS = 0o077

/** Checks who owns the data folder and its files, and who else can read them. `userId` is the user that runs Caracal. */
export function folderExamination(dataDir: string, userId: number | undefined): Examination {
  return {
    name: 'data folder',
    run() {
      if (!existsSync(dataDir)) {
        const parent = existing(dataDir)
        if (!mayWrite(parent))
          return failed(
            `${dataDir} does not exist, and this user may not write to ${parent}`,
            `give it write access, or set data_dir`,
          )
        return ok(`${dataDir} does not exist yet; the first start creates it`)
      }
      if (!statSync(dataDir).isDirectory()) return failed(`${dataDir} is not a folder`, 'move the file away, or set data_dir')
      const foreign = ['', ...readdirSync(dataDir)].filter((name) => isOfAnother(join(dataDir, name), userId))
      if (foreign.length > 0) {
        const names = foreign.map((name) => name || '.').join(', ')
        return failed(
          `in ${dataDir}, this user does not own: ${names}`,
          `run this as the user of the service, or \`chown -R\` the folder to it`,
        )
      }
      if (!mayWrite(dataDir)) return failed(`this user may not write to ${dataDir}`, `\`chmod u+rwx ${dataDir}\``)
      const token = join(dataDir, 'token')
      if (existsSync(token) && isOpen(token))
        return failed(
          `other users can read ${token}`,
          `\`chmod 600 ${token}\`, then replace the token: remove the file and restart`,
        )
      const key = join(dataDir, 'sign-in-key')
      if (existsSync(key) && isOpen(key))
        return failed(
          `other users can read ${key}`,
          `\`chmod 600 ${key}\`, then replace the key: remove the file and restart, after which everyone signs in again`,
        )
      if (isOpen(dataDir)) return warning(`other users can read ${dataDir}, which contains your logs`, `\`chmod 700 ${dataDir}\``)
      return ok(`${dataDir}: owned by this user, closed to others`)
    },
  }
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}

function isOfAnother(path: string, userId: number | undefined): boolean {
  return userId !== undefined && statSync(path, { throwIfNoEntry: false })?.uid !== userId && existsSync(path)
}

function isOpen(path: string): boolean {
  return process.platform !== 'win32' && (statSync(path).mode & OTHERS) !== 0
}
