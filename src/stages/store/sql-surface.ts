/** Table functions that generate rows, or read them from the query itself; `format` is also a function. */
export const ALLOWED_TABLE_FUNCTIONS: ReadonlySet<string> = new Set([
  'numbers',
  'numbers_mt',
  'zeros',
  'zeros_mt',
  'generateseries',
  'generate_series',
  'values',
  'view',
  'null',
  'primes',
  'format',
])

/** Forbidden functions without arguments: their bare name is a column, never a function passed to another. */
export const WITHOUT_ARGUMENTS: ReadonlySet<string> = words(`
  hostname fqdn displayname getoskernelversion serveruuid servertimezone shardnum shardcount
  version revision buildid uptime tid hasthreadfuzzer zookeepersessionuptime
  currentuser authenticateduser currentroles enabledroles defaultroles currentprofiles enabledprofiles defaultprofiles
  connectionid queryid initialqueryid currentqueryid transactionid transactionlatestsnapshot transactionoldestsnapshot`)

/**
 * Functions that read files, the network, other objects of the engine, its configuration, or the host, that write to its log, or that
 * block a thread: compiled from `system.functions` of ClickHouse 26.7. `readonly = 1` stops none of them. Lower case, aliases already
 * resolved.
 */
export const FORBIDDEN_FUNCTIONS: ReadonlySet<string> = new Set([
  ...WITHOUT_ARGUMENTS,
  ...words(`
    file filesystemavailable filesystemcapacity filesystemunreserved catboostevaluate evalmlmethod
    structuretocapnprotoschema structuretoprotobufschema formatrow formatrownonewline
    showcertificate aiclassify aiembed aiextract aigenerate aitranslate
    generateserialid generatesnowflakeid getserverport tcpport getmacro getclienthttpheader
    getserversetting getsetting getsettingordefault getmergetreesetting globalvariable
    addresstoline addresstolinewithinlines addresstosymbol demangle flamegraph logtrace sleep sleepeachrow
    joinget joingetornull mergetreepartinfo ismergetreepartcoveredby runningconcurrency
    hascolumnintable getmaxtablenamelengthfordatabase
    naivebayesclassifier naivebayesclassifierwithprob naivebayesclassifierwithallprobs
    regionhierarchy regionin regiontoarea regiontocity regiontocontinent regiontocountry regiontodistrict regiontoname
    regiontopopulation regiontotopcontinent
    dictget dictgetall dictgetchildren dictgetdate dictgetdateordefault dictgetdatetime dictgetdatetimeordefault
    dictgetdescendants dictgetfloat32 dictgetfloat32ordefault dictgetfloat64 dictgetfloat64ordefault dictgethierarchy
    dictgetint8 dictgetint8ordefault dictgetint16 dictgetint16ordefault dictgetint32 dictgetint32ordefault dictgetint64
    dictgetint64ordefault dictgetipv4 dictgetipv4ordefault dictgetipv6 dictgetipv6ordefault dictgetkeys dictgetordefault
    dictgetornull dictgetroot dictgetstring dictgetstringordefault dictgetuint8 dictgetuint8ordefault dictgetuint16
    dictgetuint16ordefault dictgetuint32 dictgetuint32ordefault dictgetuint64 dictgetuint64ordefault dictgetuuid
    dictgetuuidordefault dicthas dictisin`),
])

/**
 * Names that the engine treats as functions without brackets unless a column has that name. `user` is missing: many logs have a column
 * with that name, and otherwise the result is always `default`.
 */
export const BARE_FUNCTIONS: ReadonlySet<string> = words('currentuser current_user session_user')

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/))
}
