import { expect, test } from 'vitest'
import { adviceFor, createBackupFolder } from './folder.ts'

test.each(['EACCES', 'EPERM', 'EROFS'])(
  '%s is what a service gets outside its folders, so the message says how to allow one',
  (code) => {
    expect(adviceFor(Object.assign(new Error(), { code }))).toContain('`caracal service install --backups FOLDER`')
    expect(adviceFor(Object.assign(new Error(), { code: 'EIO' }))).not.toContain('service install')
  },
)

test('a folder whose parent does not exist is refused by the name of the parent', async () => {
  const refused = /^the folder \/no-such-disk does not exist, so \/no-such-disk\/monday cannot be created/
  await expect(createBackupFolder('/no-such-disk/monday', '/')).rejects.toThrow(refused)
})

test.runIf(process.platform === 'linux')('a folder that is not allowed is refused with that advice', async () => {
  // Not even root may create anything there.
  await expect(createBackupFolder('/sys/backup', '/')).rejects.toThrow(
    /^The backup folder \/sys\/backup cannot be written: .*--backups FOLDER/,
  )
})
