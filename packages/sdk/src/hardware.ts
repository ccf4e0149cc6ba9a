export { CpuInstance, CudaVersion, DataCenter, GpuGroup, GpuType } from '@flash/protocol'
