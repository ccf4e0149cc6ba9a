/** Everything that clients read, and every operation of theirs. Nullable wherever a client does not count on a value. */
export const typeDefinitions = /* GraphQL */ `
  scalar JSON
  enum FlashBootType { OFF FLASHBOOT PRIORITY_FLASHBOOT }

  type Query {
    myself: User
    podTemplate(id: String!): PodTemplate
    gpuTypes(input: GpuTypeFilter): [GpuType]
    cpuFlavors(input: CpuFlavorInput): [CpuFlavor]
    pod(input: PodFilter): Pod
    flashApp(flashAppId: String!): FlashApp
    flashAppByName(flashAppName: String!): FlashApp
    flashEnvironment(flashEnvironmentId: String!): FlashEnvironment
    flashEnvironmentByName(input: FlashEnvironmentByNameInput!): FlashEnvironment
    flashBuild(flashBuildId: String!): FlashBuild
    flashAuthRequestStatus(flashAuthRequestId: String!): FlashAuthRequest
  }

  type Mutation {
    saveEndpoint(input: EndpointInput!): Endpoint
    deleteEndpoint(id: String!): String
    updateEndpointTemplate(input: UpdateEndpointTemplateInput): Endpoint
    saveTemplate(input: SaveTemplateInput): PodTemplate
    deleteTemplate(templateName: String): String
    saveRegistryAuth(input: SaveRegistryAuthInput): RegistryAuth
    updateRegistryAuth(input: UpdateRegistryAuthInput): RegistryAuth
    deleteRegistryAuth(registryAuthId: String!): String
    secretCreate(input: SecretCreateInput!): Secret
    secretDelete(id: ID!): String
    createFlashApp(input: CreateFlashAppInput!): FlashApp
    deleteFlashApp(flashAppId: String!): String
    createFlashEnvironment(input: CreateFlashEnvironmentInput!): FlashEnvironment
    deleteFlashEnvironment(flashEnvironmentId: String!): String
    prepareFlashArtifactUpload(input: PrepareFlashArtifactUploadInput!): FlashUpload
    finalizeFlashArtifactUpload(input: FinalizeFlashArtifactUploadInput!): FlashBuild
    updateFlashBuildManifest(input: UpdateFlashBuildManifestInput!): FlashBuild
    deployBuildToEnvironment(input: DeployBuildToEnvironmentInput!): FlashEnvironment
    createFlashAuthRequest: FlashAuthRequest
    deployCpuPod(input: deployCpuPodInput!): Pod
    podFindAndDeployOnDemand(input: PodFindAndDeployOnDemandInput): Pod
    podTerminate(input: PodTerminateInput!): String
    updateUserSettings(input: UpdateUserSettingsInput): User
  }

  type User {
    id: String email: String pubKey: String
    endpoint(id: String!): Endpoint endpoints: [Endpoint] podTemplates: [PodTemplate] pods: [Pod]
    networkVolumes: [NetworkVolume] secrets: [Secret] containerRegistryCreds: [RegistryAuth]
    flashApps: [FlashApp] serverlessDiscount: ServerlessDiscount
  }
  type ServerlessDiscount { discountFactor: Float type: String expirationDate: String }
  type KV { key: String value: String }
  type EndpointVolume { networkVolumeId: String dataCenterId: String }
  type NetworkVolume { id: String name: String size: Int dataCenterId: String }
  type Endpoint {
    id: String! name: String! type: String aiKey: String userId: String version: Int createdAt: String
    templateId: String template: PodTemplate env: [KV]
    gpuIds: String gpuCount: Int allowedCudaVersions: String minCudaVersion: String
    instanceIds: [String] locations: String
    networkVolumeId: String networkVolume: NetworkVolume networkVolumeIds: [EndpointVolume]
    scalerType: String scalerValue: Float workersMin: Int workersMax: Int workersStandby: Int workersPFBTarget: Int
    idleTimeout: Int executionTimeoutMs: Int flashBootType: FlashBootType modelReferences: [String]
    flashEnvironmentId: String activeBuildid: String idePodId: String computeType: String
    hubRelease: String repo: String pods: [Pod]
  }
  type PodTemplate {
    id: String name: String imageName: String dockerArgs: String containerDiskInGb: Int volumeInGb: Int
    volumeMountPath: String ports: String env: [KV] readme: String isServerless: Boolean isPublic: Boolean
    containerRegistryAuthId: String startScript: String advancedStart: Boolean config: JSON
    startSsh: Boolean startJupyter: Boolean category: String
  }
  type GpuType {
    id: String displayName: String manufacturer: String memoryInGb: Int cudaCores: Int maxGpuCount: Int
    secureCloud: Boolean communityCloud: Boolean securePrice: Float communityPrice: Float
    oneMonthPrice: Float threeMonthPrice: Float oneWeekPrice: Float communitySpotPrice: Float secureSpotPrice: Float
    lowestPrice(input: GpuLowestPriceInput): LowestPrice
  }
  type LowestPrice { stockStatus: String minimumBidPrice: Float uninterruptablePrice: Float }
  type CpuFlavor { id: String groupName: String displayName: String specifics(input: SpecificsInput): Specifics }
  type Specifics { stockStatus: String securePrice: Float slsPrice: Float }
  type RegistryAuth { id: String name: String }
  type Secret { id: String name: String description: String createdAt: String }
  type FlashApp { id: String! name: String! flashEnvironments: [FlashEnvironment] flashBuilds: [FlashBuild] }
  type FlashEnvironment {
    id: String! name: String! state: String createdAt: String activeBuildId: String
    endpoints: [Endpoint] networkVolumes: [NetworkVolume] activeArtifact: FlashArtifact
  }
  type FlashArtifact { objectKey: String downloadUrl: String expiresAt: String }
  type FlashBuild { id: String! objectKey: String createdAt: String manifest: JSON }
  type FlashUpload { uploadUrl: String objectKey: String expiresAt: String }
  type FlashAuthRequest { id: String status: String expiresAt: String apiKey: String }
  type Machine { gpuDisplayName: String podHostId: String }
  type Pod {
    id: String name: String desiredStatus: String imageName: String env: [String] dockerArgs: String
    containerDiskInGb: Int volumeInGb: Int volumeMountPath: String ports: String gpuCount: Int vcpuCount: Float
    memoryInGb: Int costPerHr: Float machineId: String machine: Machine podType: String dockerId: String
    lastStatusChange: String uptimeSeconds: Int port: Int
  }
`
