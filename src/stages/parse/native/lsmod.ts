import type { JsonObject } from '../../../model/json.ts'
import { HEADER, type NativeParser } from './native.ts'

const ROW = /^([\w-]{1,64}) +(\d{1,15}) +(-?\d{1,10})(?: +(\S+))? *$/

export const lsmod: NativeParser = {
  type: 'lsmod',
  summary: 'Kernel modules as listed by `lsmod`.',
  example: {
    texts: [
      'Module                  Size  Used by',
      'nf_tables             303104  2 nft_compat,nft_ct',
      'lp                     20480  0',
    ],
    records: [
      { module: 'nf_tables', size: 303104, used: 2, used_by: ['nft_compat', 'nft_ct'] },
      { module: 'lp', size: 20480, used: 0 },
    ],
  },
  parse(text) {
    const row = ROW.exec(text)
    if (row === null) return /^Module +Size +Used by/.test(text) ? HEADER : undefined
    const record: JsonObject = { module: row[1]!, size: Number(row[2]), used: Number(row[3]) }
    const users = row[4]?.split(',').filter((name) => name !== '' && name !== '-')
    if (users !== undefined && users.length > 0) record['used_by'] = users
    return record
  },
}
