import { join } from 'node:path'
import { MAX_FILES, type Service, STOP_SECONDS } from './service.ts'

/** Name of the job, which is also that of its file. */
export const LABEL = 'local.caracal'

/** The text of a launchd property list for a daemon of macOS. */
export function launchdPlist({ command, folder, dataDir, user, log }: Service): string {
  const output = log ?? join(dataDir, 'caracal.log')
  const limits = `<dict><key>NumberOfFiles</key><integer>${MAX_FILES}</integer></dict>`
  const rows: readonly (readonly [key: string, value: string])[] = [
    ['Label', string(LABEL)],
    ['ProgramArguments', `<array>${command.map(string).join('')}</array>`],
    ['WorkingDirectory', string(folder)],
    ['UserName', string(user)],
    ['RunAtLoad', '<true/>'],
    ['KeepAlive', '<true/>'],
    ['ThrottleInterval', '<integer>5</integer>'],
    ['ExitTimeOut', `<integer>${STOP_SECONDS}</integer>`],
    ['Umask', '<integer>63</integer>'],
    ['SoftResourceLimits', limits],
    ['HardResourceLimits', limits],
    ['StandardOutPath', string(output)],
    ['StandardErrorPath', string(output)],
  ]
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
${rows.map(([key, value]) => `  <key>${key}</key>${value}`).join('\n')}
</dict>
</plist>
`
}

function string(text: string): string {
  return `<string>${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')}</string>`
}
