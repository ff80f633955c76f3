import { apacheCombined, apacheCommon } from './apache-access.ts'
import { apacheError } from './apache-error.ts'
import { auditd } from './auditd.ts'
import { awsAlb, awsElb } from './aws-load-balancers.ts'
import { awsS3Access } from './aws-s3-access.ts'
import { awsVpcFlow } from './aws-vpcflow.ts'
import { cef } from './cef.ts'
import { keyValue } from './key-value.ts'
import { last } from './last.ts'
import { leef } from './leef.ts'
import { lsmod } from './lsmod.ts'
import type { NativeParser } from './native.ts'
import { netstat } from './netstat.ts'
import { nginxAccess } from './nginx-access.ts'
import { nginxError } from './nginx-error.ts'
import { rfc3164, rfc5424, syslog } from './syslog.ts'
import { vsftpd } from './vsftpd.ts'
import { who } from './who.ts'
import { windowsXml } from './windows-xml.ts'

/** Built-in parsers of text formats. A new one is one file in this folder and one name here. */
export const nativeParsers: readonly NativeParser[] = [
  apacheCombined,
  apacheCommon,
  apacheError,
  awsAlb,
  awsElb,
  awsS3Access,
  awsVpcFlow,
  last,
  lsmod,
  netstat,
  nginxAccess,
  nginxError,
  syslog,
  rfc3164,
  rfc5424,
  who,
  auditd,
  keyValue,
  cef,
  leef,
  windowsXml,
  vsftpd,
]
