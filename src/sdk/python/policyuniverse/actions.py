"""What is known of AWS actions: the names of services, and the actions of EC2 on networks.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
"""

SERVICES = frozenset(
    (
        "access-analyzer account acm acm-pca apigateway appconfig application-autoscaling appmesh apprunner appsync athena auditmanager "
        "autoscaling backup batch bedrock budgets ce cloud9 cloudformation cloudfront cloudhsm cloudtrail cloudwatch codeartifact "
        "codebuild codecommit codedeploy codepipeline cognito-identity cognito-idp config connect controltower datasync dax "
        "detective directconnect dlm dms ds dynamodb ec2 ec2-instance-connect ecr ecr-public ecs eks elasticache elasticbeanstalk "
        "elasticfilesystem elasticloadbalancing elasticmapreduce emr-serverless es events execute-api firehose fis fms fsx glacier "
        "globalaccelerator glue grafana guardduty health iam identitystore imagebuilder inspector2 iot kafka kinesis "
        "kinesisanalytics kms lakeformation lambda license-manager lightsail logs macie2 mediaconvert memorydb mgn mq "
        "network-firewall networkmanager opensearch organizations pipes polly qldb quicksight ram rds rds-data redshift "
        "redshift-data rekognition resource-groups route53 route53domains route53resolver s3 s3-object-lambda sagemaker scheduler "
        "schemas sdb secretsmanager securityhub securitylake serverlessrepo servicecatalog servicediscovery ses shield signer "
        "sns sqs ssm ssmmessages sso sso-directory states storagegateway sts support swf synthetics tag textract timestream "
        "transcribe transfer translate trustedadvisor vpc-lattice waf waf-regional wafv2 wellarchitected workdocs workmail "
        "workspaces xray"
    ).split()
)

# Verb -> what it is done to.
_NETWORK = {
    "accept": "transitgatewaymulticastdomainassociations transitgatewaypeeringattachment transitgatewayvpcattachment "
    "vpcendpointconnections vpcpeeringconnection",
    "apply": "securitygroupstoclientvpntargetnetwork",
    "assign": "ipv6addresses",
    "associate": "clientvpntargetnetwork dhcpoptions routetable securitygroupvpc subnetcidrblock transitgatewaymulticastdomain "
    "transitgatewaypolicytable transitgatewayroutetable vpccidrblock",
    "attach": "classiclinkvpc internetgateway networkinterface vpngateway",
    "authorize": "clientvpningress securitygroupegress securitygroupingress",
    "create": "clientvpnendpoint clientvpnroute defaultsubnet defaultvpc dhcpoptions egressonlyinternetgateway internetgateway "
    "localgatewayroutetable localgatewayroutetablevpcassociation networkacl networkaclentry networkinterface "
    "networkinterfacepermission routetable securitygroup subnet subnetcidrreservation transitgateway transitgatewayconnect "
    "transitgatewayconnectpeer transitgatewaymulticastdomain transitgatewaypeeringattachment transitgatewaypolicytable "
    "transitgatewayprefixlistreference transitgatewayroute transitgatewayroutetable transitgatewayroutetableannouncement "
    "transitgatewayvpcattachment vpc vpcblockpublicaccessexclusion vpcendpoint vpcendpointconnectionnotification "
    "vpcendpointserviceconfiguration vpcpeeringconnection vpnconnection vpnconnectionroute vpngateway",
    "delete": "clientvpnendpoint clientvpnroute dhcpoptions egressonlyinternetgateway internetgateway localgatewayroutetable "
    "localgatewayroutetablevpcassociation networkacl networkaclentry networkinterface networkinterfacepermission routetable "
    "securitygroup subnet subnetcidrreservation transitgateway transitgatewayconnect transitgatewayconnectpeer "
    "transitgatewaymulticastdomain transitgatewaypeeringattachment transitgatewaypolicytable transitgatewayprefixlistreference "
    "transitgatewayroute transitgatewayroutetable transitgatewayroutetableannouncement transitgatewayvpcattachment vpc "
    "vpcblockpublicaccessexclusion vpcendpoints vpcendpointconnectionnotifications vpcendpointserviceconfigurations "
    "vpcpeeringconnection vpnconnection vpnconnectionroute vpngateway",
    "deregister": "transitgatewaymulticastgroupmembers transitgatewaymulticastgroupsources",
    "describe": "classiclinkinstances clientvpnauthorizationrules clientvpnconnections clientvpnendpoints clientvpnroutes "
    "clientvpntargetnetworks dhcpoptions egressonlyinternetgateways internetgateways networkacls networkinterfaceattribute "
    "networkinterfacepermissions networkinterfaces routetables securitygroupreferences securitygrouprules securitygroups "
    "securitygroupvpcassociations stalesecuritygroups subnets transitgatewayattachments transitgatewayconnectpeers "
    "transitgatewayconnects transitgatewaymulticastdomains transitgatewaypeeringattachments transitgatewaypolicytables "
    "transitgatewayroutetables transitgateways transitgatewayvpcattachments vpcattribute vpcclassiclink "
    "vpcclassiclinkdnssupport vpcendpoints vpcendpointconnections vpcendpointservices vpcendpointservicepermissions "
    "vpcpeeringconnections vpcs vpnconnections vpngateways",
    "detach": "classiclinkvpc internetgateway networkinterface vpngateway",
    "disable": "transitgatewayroutetablepropagation vgwroutepropagation vpcclassiclink vpcclassiclinkdnssupport",
    "disassociate": "clientvpntargetnetwork routetable securitygroupvpc subnetcidrblock transitgatewaymulticastdomain "
    "transitgatewaypolicytable transitgatewayroutetable vpccidrblock",
    "enable": "transitgatewayroutetablepropagation vgwroutepropagation vpcclassiclink vpcclassiclinkdnssupport",
    "export": "clientvpnclientcertificaterevocationlist clientvpnclientconfiguration transitgatewayroutes",
    "get": "securitygroupsforvpc subnetcidrreservations transitgatewayattachmentpropagations "
    "transitgatewaymulticastdomainassociations transitgatewaypolicytableassociations transitgatewaypolicytableentries "
    "transitgatewayprefixlistreferences transitgatewayroutetableassociations transitgatewayroutetablepropagations "
    "vpnconnectiondevicesampleconfiguration vpnconnectiondevicetypes vpntunnelreplacementstatus",
    "import": "clientvpnclientcertificaterevocationlist",
    "modify": "clientvpnendpoint networkinterfaceattribute securitygrouprules subnetattribute transitgateway "
    "transitgatewayprefixlistreference transitgatewayvpcattachment vpcattribute vpcblockpublicaccessexclusion "
    "vpcblockpublicaccessoptions vpcendpoint vpcendpointconnectionnotification vpcendpointserviceconfiguration "
    "vpcendpointservicepayerresponsibility vpcendpointservicepermissions vpcpeeringconnectionoptions vpctenancy vpnconnection "
    "vpnconnectionoptions vpntunnelcertificate vpntunneloptions",
    "register": "transitgatewaymulticastgroupmembers transitgatewaymulticastgroupsources",
    "reject": "transitgatewaymulticastdomainassociations transitgatewaypeeringattachment transitgatewayvpcattachment "
    "vpcendpointconnections vpcpeeringconnection",
    "replace": "networkaclassociation networkaclentry routetableassociation transitgatewayroute vpntunnel",
    "reset": "networkinterfaceattribute",
    "revoke": "clientvpningress securitygroupegress securitygroupingress",
    "search": "transitgatewaymulticastgroups transitgatewayroutes",
    "start": "vpcendpointserviceprivatednsverification",
    "terminate": "clientvpnconnections",
    "update": "securitygroupruledescriptionsegress securitygroupruledescriptionsingress",
}

EC2_NETWORK = frozenset(f"ec2:{verb}{noun}" for verb, nouns in _NETWORK.items() for noun in nouns.split())
