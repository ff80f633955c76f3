"""The prefixes of AWS services, and which levels of access their actions have.

List, Permissions, Read, Tagging, Write by their first letters; facts of the Service Authorization Reference, state of August 2023.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
"""

_BY_LEVELS = {
    "L": "mapcredits",
    "LPRTW": (
        "acm-pca aws-marketplace backup cloudformation cloudsearch codeartifact codeguru-profiler codestar ec2 ecr ecr-public "
        "elasticfilesystem elasticmapreduce events glacier glue grafana greengrass iam imagebuilder iot kms lakeformation "
        "lambda license-manager logs managedblockchain mediastore mediatailor monitron opsworks quicksight ram rds redshift "
        "route53resolver s3 s3-object-lambda s3-outposts secretsmanager servicecatalog ses signer sns ssm ssm-contacts "
        "ssm-incidents sso vpc-lattice waf waf-regional wafv2 workspaces xray"
    ),
    "LPRW": "codebuild deeplens",
    "LR": "consoleapp consolidatedbilling datazone managedblockchain-query resource-explorer",
    "LRTW": (
        "a4b access-analyzer acm airflow amplify app-integrations appconfig appfabric appflow applicationinsights appmesh "
        "apprunner appstream appsync aps athena auditmanager autoscaling batch bedrock billingconductor bugbust cases ce chime "
        "cleanrooms clouddirectory cloudfront cloudhsm cloudtrail cloudwatch codecatalyst codecommit codedeploy "
        "codeguru-reviewer codeguru-security codepipeline codestar-connections codestar-notifications codewhisperer "
        "cognito-identity cognito-idp config connect connect-campaigns dataexchange datapipeline datasync datazonecontrol dax "
        "deepcomposer detective devicefarm directconnect discovery dlm docdb-elastic ds dynamodb ecs eks elastic-inference "
        "elasticache elasticbeanstalk elasticloadbalancing elemental-appliances-software emr-containers emr-serverless "
        "entityresolution es finspace firehose fis fms frauddetector gamelift gamesparks geo globalaccelerator groundstation "
        "guardduty healthlake honeycode inspector inspector2 internetmonitor iot1click iotanalytics iotdeviceadvisor iotevents "
        "iotfleethub iotfleetwise iotsitewise iottwinmaker ivs ivschat kafka kendra kendra-ranking kinesis kinesisanalytics "
        "kinesisvideo lex lookoutequipment lookoutmetrics lookoutvision m2 machinelearning macie2 mediaconnect mediaconvert "
        "medialive mediapackage-vod mediapackagev2 medical-imaging mgn migrationhub-orchestrator mobiletargeting mq "
        "network-firewall networkmanager notifications notifications-contacts omics opsworks-cm organizations osis outposts "
        "panorama payment-cryptography personalize pi pipes private-networks profile proton purchase-orders qldb "
        "redshift-serverless rekognition resiliencehub resource-explorer-2 resource-groups robomaker rolesanywhere route53 "
        "route53-recovery-control-config route53domains rum sagemaker sagemaker-geospatial savingsplans scheduler schemas scn "
        "securityhub securitylake servicediscovery shield simspaceweaver snow-device-management sqlworkbench ssm-sap states "
        "storagegateway swf synthetics timestream tnb transcribe transfer translate vendor-insights voiceid wellarchitected "
        "wisdom worklink workmail"
    ),
    "LRW": (
        "account amplifybackend amplifyuibuilder aoss appmesh-preview arc-zonal-shift artifact aws-marketplace-management "
        "cognito-sync compute-optimizer controltower dbqms devops-guru elastictranscoder freertos identity-sync identitystore "
        "identitystore-auth importexport iq kafka-cluster launchwizard mechanicalturk mgh migrationhub-strategy mobilehub "
        "neptune-db payments polly redshift-data sagemaker-groundtruth-synthetic sdb serverlessrepo sms snowball "
        "verifiedpermissions workdocs"
    ),
    "LW": "license-manager-user-subscriptions",
    "P": "rds-db",
    "PR": "health",
    "PRTW": "fsx sqs",
    "PRW": "apigateway",
    "R": "codeguru elemental-support-content finspace-api pricing rhelkb serviceextract sustainability",
    "RT": "elemental-activations",
    "RTW": (
        "application-autoscaling backup-gateway braket cassandra cloud9 comprehend databrew deepracer dms drs evidently "
        "forecast iotwireless lightsail mediapackage memorydb nimble oam rbin refactor-spaces route53-recovery-readiness "
        "servicequotas sms-voice sts tag wickr workspaces-web"
    ),
    "RW": (
        "a2c activate application-cost-profiler autoscaling-plans aws-portal awsconnector billing budgets chatbot cloudshell "
        "codedeploy-commands-secure comprehendmedical cur customer-verification ebs ec2messages elemental-support-cases "
        "freetier groundtruthlabeling invoicing iot-device-tester iotjobsdata iotroborunner iq-permission kafkaconnect "
        "mobileanalytics route53-recovery-cluster ssm-guiconnect sso-directory support supportapp supportplans tax textract "
        "tiros trustedadvisor workmailmessageflow"
    ),
    "W": (
        "arsenal backup-storage cloudtrail-data ec2-instance-connect execute-api license-manager-linux-subscriptions "
        "marketplacecommerceanalytics mediaimport rds-data ssmmessages verified-access vpc-lattice-svcs wam"
    ),
}

LEVELS = {letter[0]: letter for letter in ("List", "Permissions", "Read", "Tagging", "Write")}
SERVICES = {
    service: frozenset(map(LEVELS.get, letters)) for letters, services in _BY_LEVELS.items() for service in services.split()
}
