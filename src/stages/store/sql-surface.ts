/** Table functions that make their rows out of nothing, or out of what the query itself says; `format` is also a function. */
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

/** Forbidden functions that take no argument: a bare name of these is a column, never a function handed to another. */
export const WITHOUT_ARGUMENTS: ReadonlySet<string> = new Set(
  `hostname fqdn getoskernelversion serveruuid uptime buildid tid revision connectionid currentuser authenticateduser
  currentroles enabledroles defaultroles currentprofiles enabledprofiles defaultprofiles zookeepersessionuptime
  hasthreadfuzzer transactionid transactionlatestsnapshot transactionoldestsnapshot`.split(/\s+/),
)

/**
 * Functions that read files, the network, the engine's own set-up or the host, or that hold a thread: read off
 * `system.functions` of ClickHouse 26.7. `readonly = 1` stops none of them. In lower case, aliases resolved before.
 */
export const FORBIDDEN_FUNCTIONS: ReadonlySet<string> = new Set([
  ...WITHOUT_ARGUMENTS,
  ...`file filesystemavailable filesystemcapacity filesystemunreserved catboostevaluate evalmlmethod showcertificate
  aiclassify aiembed aiextract aigenerate aitranslate generateserialid getserverport tcpport getmacro
  getserversetting getsetting getsettingordefault getmergetreesetting globalvariable getclienthttpheader
  addresstoline addresstolinewithinlines addresstosymbol demangle logtrace sleep sleepeachrow
  structuretocapnprotoschema structuretoprotobufschema formatrow formatrownonewline joinget joingetornull
  naivebayesclassifier naivebayesclassifierwithprob naivebayesclassifierwithallprobs
  regionhierarchy regionin regiontoarea regiontocity regiontocontinent regiontocountry regiontodistrict regiontoname
  regiontopopulation regiontotopcontinent mergetreepartinfo ismergetreepartcoveredby runningconcurrency
  hascolumnintable getmaxtablenamelengthfordatabase`.split(/\s+/),
])
