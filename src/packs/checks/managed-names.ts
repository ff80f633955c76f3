/**
 * Names of the log types for which Panther's service has schemas, by vendor, as its public rules, tables and documents use them. A rule
 * about one of these is not a mistake, even if such logs are never sent.
 */
const LOG_TYPES: Readonly<Record<string, string>> = {
  AlphaSOC: 'Alert',
  Amazon: 'EKS.Audit EKS.Authenticator',
  Anomali: 'Indicator',
  Anthropic: 'Activity',
  Apache: 'AccessCombined AccessCommon',
  AppOmni: 'Alerts',
  Asana: 'Audit',
  Atlassian: 'Audit',
  Auth0: 'Events',
  AWS:
    'ALB AuroraMySQLAudit BedrockModelInvocation CloudTrail CloudTrailDigest CloudTrailInsight CloudWatchEvents ' +
    'Config GuardDuty S3ServerAccess SecurityFindingFormat TransitGatewayFlow VPCDns VPCFlow WAFWebACL',
  Axonius: 'Activity',
  Azure: 'Audit MonitorActivity',
  Bitwarden: 'Events',
  Box: 'Event',
  CarbonBlack: 'AlertV2 Audit EndpointEvent WatchlistHit',
  CiscoUmbrella: 'CloudFirewall DNS IP Proxy',
  Cloudflare: 'Audit Firewall HttpRequest Spectrum',
  Crowdstrike:
    'ActivityAudit AIDMaster AppInfo CriticalFile DetectionSummary DNSRequest EventStreams FDREvent GroupIdentity ' +
    'ManagedAssets NetworkConnect NetworkListen NotManagedAssets ProcessRollup2 ProcessRollup2Stats ' +
    'SyntheticProcessRollup2 Unknown UserIdentity UserInfo UserLogonLogoff',
  Databricks: 'Audit',
  Docusign: 'Connect',
  Dropbox: 'TeamEvent',
  Duo: 'Administrator Authentication OfflineEnrollment Telephony',
  Fastly: 'Access',
  Fluentd: 'Syslog3164 Syslog5424',
  GCP: 'AuditLog HTTPLoadBalancer',
  GitHub: 'Audit Webhook',
  GitLab: 'API Audit Exceptions Git Integrations Production',
  Gravitational: 'TeleportAudit',
  GreyNoise: 'Noise RIOT',
  GSuite: 'ActivityEvent DirectoryUsers Reports',
  Heroku: 'Runtime',
  IPInfo: 'ASNCIDR ASNRanges LocationCIDR LocationRanges PrivacyCIDR PrivacyRanges',
  Jamfpro: 'ComplianceReporter Login',
  Juniper: 'Access Audit Firewall MWS Postgres Security',
  Lacework:
    'AgentManagement AlertDetails AllFiles Applications ChangeFiles CloudCompliance CloudConfiguration Cmdline ' +
    'Connections ContainerSummary ContainerVulnDetails DNSQuery Events HostVulnDetails Image Interfaces InternalIPA ' +
    'MachineDetails MachineSummary NewHashes Package PodSummary ProcessSummary UserDetails UserLogin',
  Linux: 'Auditd',
  Microsoft365: 'Audit.AzureActiveDirectory Audit.Exchange Audit.General Audit.SharePoint DLP.All',
  MicrosoftDefenderXDR: 'AdvancedHunting',
  MicrosoftGraph: 'SecurityAlert SecurityAlertV2',
  MicrosoftIntune: 'AuditLogs OperationalLogs',
  MongoDB: 'OrganizationEvent ProjectEvent',
  Netskope: 'Audit',
  Nginx: 'Access',
  Notion: 'AuditLogs',
  OCSF: 'AccountChange ApiActivity Authentication DnsActivity NetworkActivity UserAccess',
  Okta: 'SystemLog',
  OneLogin: 'Events',
  OnePassword: 'AuditEvent ItemUsage SignInAttempt',
  OpenAI: 'Audit',
  Orca: 'Alert',
  Osquery: 'Batch Differential Snapshot Status',
  OSSEC: 'EventInfo',
  Panther: 'Audit',
  Proofpoint: 'Event',
  PushSecurity: 'Activity Controls Entities',
  Salesforce:
    'ApiAnomalyEventStore ApiConnectedApp ApiTotalUsage BulkApiResultEventStore ConnectedAppUsageEventStore Login ' +
    'LoginAs Logout OAuthTokenRefreshFailed OAuthTokenRevoked RealtimeEvent URI',
  SentinelOne: 'Activity DeepVisibility DeepVisibilityV2',
  Slack: 'AccessLogs AuditLogs IntegrationLogs',
  Snowflake: 'DataTransferHistory GrantsToRoles GrantsToUsers LoginHistory QueryHistory Sessions Users',
  Snyk: 'GroupAudit OrgAudit',
  SOCRadar: 'Incidents',
  Sophos: 'Central',
  Sublime: 'Audit MessageEvent',
  Suricata: 'Alert Anomaly DHCP DNS FileInfo Flow HTTP SSH TLS',
  Sysdig: 'Audit',
  Syslog: 'RFC3164 RFC5424',
  Tailscale: 'Audit',
  Tenable: 'Vulnerability',
  ThinkstCanary: 'Alert',
  Tines: 'Audit',
  Tor: 'ExitNode',
  Tracebit: 'Alert',
  Upwind: 'Detections',
  Windows: 'EventLogs',
  Wiz: 'Audit Detections Issues IssuesWebhook',
  Workday: 'Activity SignOnAttempt',
  Zeek: 'CaptureLoss Conn DHCP DNS DPD Files HTTP Notice NTP OCSP Reporter SIP Software Ssh Ssl Stats Tunnel Weird X509',
  Zendesk: 'Audit',
  Zoom: 'Activity Operation',
  Zscaler: 'ZIA.AdminAuditLog',
}

/** Names of the kinds of cloud resource that Panther's policies judge. */
const RESOURCE_TYPES: Readonly<Record<string, string>> = {
  AWS:
    'ACM.Certificate CloudFormation.Stack CloudTrail CloudTrail.Meta CloudWatch.LogGroup Config.Recorder ' +
    'Config.Recorder.Meta DynamoDB.Table EC2.AMI EC2.Instance EC2.NetworkACL EC2.SecurityGroup EC2.Volume EC2.VPC ' +
    'ELBV2.ApplicationLoadBalancer GuardDuty.Detector GuardDuty.Detector.Meta IAM.Group IAM.Policy IAM.Role ' +
    'IAM.RootUser IAM.User KMS.Key Lambda.Function PasswordPolicy RDS.Instance Redshift.Cluster S3.Bucket ' +
    'WAF.Regional.WebACL WAF.WebACL',
}

/** Names of one kind that Panther's service knows. */
export interface ManagedNames {
  readonly names: ReadonlySet<string>
  /** The part before the first dot. A new name of a known vendor is likely to be Panther's. */
  readonly vendors: ReadonlySet<string>
}

export const managedLogTypes = managed(LOG_TYPES)
export const managedResourceTypes = managed(RESOURCE_TYPES)

function managed(byVendor: Readonly<Record<string, string>>): ManagedNames {
  const entries = Object.entries(byVendor)
  const names = entries.flatMap(([vendor, rests]) => rests.split(' ').map((rest) => `${vendor}.${rest}`))
  return { names: new Set(names), vendors: new Set(Object.keys(byVendor)) }
}

const MANAGED_TABLES = new Set([...managedLogTypes.names].map((name) => name.replaceAll('.', '_').toLowerCase()))

/** True for the lake table (without database) of a log type that Panther's service knows. */
export function isManagedTable(table: string): boolean {
  return MANAGED_TABLES.has(table.toLowerCase())
}
