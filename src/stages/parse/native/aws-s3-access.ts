import { type Column, readColumns, recordOf } from './columns.ts'
import type { NativeParser } from './native.ts'

/** Columns in the order of AWS's documentation ("Amazon S3 server access log format"), named as in Panther's `AWS.S3ServerAccess`. */
const COLUMNS: readonly Column[] = [
  ['bucketowner'],
  ['bucket'],
  ['time'],
  ['remoteip'],
  ['requester'],
  ['requestid'],
  ['operation'],
  ['key'],
  ['requesturi'],
  ['httpstatus', 'number'],
  ['errorcode'],
  ['bytessent', 'number'],
  ['objectsize', 'number'],
  ['totaltime', 'number'],
  ['turnaroundtime', 'number'],
  ['referrer'],
  ['useragent'],
  ['versionid'],
  ['hostid'],
  ['signatureversion'],
  ['ciphersuite'],
  ['authenticationtype'],
  ['hostheader'],
  ['tlsVersion'],
]
/** Older entries end with the version id. */
const LEAST = 18
const TIME = /^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}$/

export const awsS3Access: NativeParser = {
  type: 'aws-s3-access',
  summary: 'Server access logs of Amazon S3.',
  example: {
    texts: [
      '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be web-assets [19/Apr/2024:12:00:00 +0000] 192.0.2.10 - 3E57427F33A59F07 REST.GET.OBJECT photos/2024/08/puppy.jpg "GET /photos/2024/08/puppy.jpg HTTP/1.1" 403 AccessDenied 243 - 7 - "-" "curl/8.5.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP/XV/VLi31234= SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader web-assets.s3.us-west-1.amazonaws.com TLSv1.2 - -',
    ],
    records: [
      {
        bucketowner: '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be',
        bucket: 'web-assets',
        time: '19/Apr/2024:12:00:00 +0000',
        remoteip: '192.0.2.10',
        requestid: '3E57427F33A59F07',
        operation: 'REST.GET.OBJECT',
        key: 'photos/2024/08/puppy.jpg',
        requesturi: 'GET /photos/2024/08/puppy.jpg HTTP/1.1',
        httpstatus: 403,
        errorcode: 'AccessDenied',
        bytessent: 243,
        totaltime: 7,
        useragent: 'curl/8.5.0',
        hostid: 's9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP/XV/VLi31234=',
        signatureversion: 'SigV4',
        ciphersuite: 'ECDHE-RSA-AES128-GCM-SHA256',
        authenticationtype: 'AuthHeader',
        hostheader: 'web-assets.s3.us-west-1.amazonaws.com',
        tlsVersion: 'TLSv1.2',
        additionalFields: [null, null],
      },
    ],
  },
  parse(text) {
    const values = readColumns(text)
    if (values === undefined || values.length < LEAST || !TIME.test(values[2] ?? '')) return undefined
    const record = recordOf(COLUMNS, values)
    if (record !== undefined && values.length > COLUMNS.length)
      record['additionalFields'] = values.slice(COLUMNS.length).map((value) => value ?? null)
    return record
  },
}
