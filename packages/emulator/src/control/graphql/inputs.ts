/**
 * What clients send. Every scalar is nullable; fields that some client sends and nothing here uses are there too,
 * because GraphQL refuses a field that it does not know.
 */
export const inputDefinitions = /* GraphQL */ `
  input KVInput { key: String value: String }
  input EndpointVolumeInput { networkVolumeId: String dataCenterId: String }
  input VolumeInput { volumeId: String volumeType: String mountPath: String }
  input EndpointTemplateInput {
    id: String name: String imageName: String dockerArgs: String containerDiskInGb: Int env: [KVInput]
    ports: String startScript: String advancedStart: Boolean config: JSON containerRegistryAuthId: String
    volumeInGb: Int volumeMountPath: String isServerless: Boolean isPublic: Boolean readme: String
    startSsh: Boolean startJupyter: Boolean category: String
  }
  input EndpointInput {
    id: String name: String type: String templateId: String template: EndpointTemplateInput
    gpuIds: String gpuCount: Int allowedCudaVersions: String minCudaVersion: String
    instanceIds: [String] locations: String
    networkVolumeId: String networkVolumeIds: [EndpointVolumeInput] volumes: [VolumeInput]
    flashEnvironmentId: String modelReferences: [String]
    scalerType: String scalerValue: Float workersMin: Int workersMax: Int workersStandby: Int workersPFBTarget: Int
    idleTimeout: Int executionTimeoutMs: Int flashBootType: FlashBootType
    activeBuildid: JSON aiKey: JSON computeType: JSON createdAt: JSON hubRelease: JSON repo: JSON userId: JSON
    idePodId: JSON version: JSON env: JSON
  }
  input UpdateEndpointTemplateInput { templateId: String endpointId: String }
  input SaveTemplateInput {
    id: String name: String imageName: String dockerArgs: String containerDiskInGb: Int env: [KVInput]
    ports: String startScript: String advancedStart: Boolean config: JSON containerRegistryAuthId: String
    volumeInGb: Int volumeMountPath: String isServerless: Boolean isPublic: Boolean readme: String
    startSsh: Boolean startJupyter: Boolean category: String
  }
  input SaveRegistryAuthInput { name: String username: String password: String }
  input UpdateRegistryAuthInput { id: String username: String password: String }
  input SecretCreateInput { name: String value: String description: String }
  input CreateFlashAppInput { name: String }
  input CreateFlashEnvironmentInput { flashAppId: String name: String }
  input FlashEnvironmentByNameInput { flashAppId: String name: String }
  input PrepareFlashArtifactUploadInput { flashAppId: String tarballSize: Float }
  input FinalizeFlashArtifactUploadInput { flashAppId: String objectKey: String manifest: JSON }
  input UpdateFlashBuildManifestInput { flashBuildId: String manifest: JSON }
  input DeployBuildToEnvironmentInput { flashEnvironmentId: String flashBuildId: String }
  input GpuTypeFilter { id: String ids: [String] }
  input GpuLowestPriceInput {
    gpuCount: Int dataCenterId: String secureCloud: Boolean includeAiApi: Boolean
    allowedCudaVersions: [String] compliance: [String] minDisk: Int minMemoryInGb: Int minVcpuCount: Int
    totalDisk: Int supportPublicIp: Boolean countryCode: String cudaVersion: String minDownload: Int minUpload: Int
    globalNetwork: Boolean
  }
  input CpuFlavorInput { id: String isSls: Boolean }
  input SpecificsInput { dataCenterId: String instanceId: String isSls: Boolean }
  input PodFilter { podId: String }
  input PodTerminateInput { podId: String }
  input UpdateUserSettingsInput { pubKey: String }
  input PodEnvInput { key: String value: String }
  input deployCpuPodInput {
    name: String imageName: String dockerArgs: String ports: String containerDiskInGb: Int volumeInGb: Int
    volumeMountPath: String supportPublicIp: Boolean env: [PodEnvInput] dataCenterId: String dataCenterIds: [String]
    volumeMounts: [VolumeInput] networkVolumeId: String instanceId: String containerRegistryAuthId: String
    cloudType: String deployCost: Float startSsh: Boolean startJupyter: Boolean templateId: String
    terminateAfter: String stopAfter: String
  }
  input PodFindAndDeployOnDemandInput {
    name: String imageName: String dockerArgs: String ports: String containerDiskInGb: Int volumeInGb: Int
    volumeMountPath: String volumeKey: String supportPublicIp: Boolean env: [PodEnvInput] dataCenterId: String
    dataCenterIds: [String] volumeMounts: [VolumeInput] networkVolumeId: String gpuTypeId: String
    gpuTypeIdList: [String] gpuCount: Int allowedCudaVersions: [String] minCudaVersion: String
    containerRegistryAuthId: String cloudType: String countryCode: String minVcpuCount: Int minMemoryInGb: Int
    minDownload: Int minUpload: Int minDisk: Int startSsh: Boolean startJupyter: Boolean templateId: String
    terminateAfter: String stopAfter: String deployCost: Float computeType: String globalNetwork: Boolean
    encryptVolume: Boolean bidPerGpu: Float
  }
`
