import type { TemplateFields, TemplateRecord, Variable } from '../records.ts'
import { integer, list, nullable, type Shape, text, textMap } from './shape.ts'

/** What requests of endpoints, templates and pods say about their container. */
export interface ContainerInput {
  args?: string
  disk?: number
  env?: Record<string, string>
  image?: string
  ports?: string[]
  registry?: string | null
}

export const containerShapes: Record<string, Shape> = {
  args: text(),
  disk: integer({ min: 1 }),
  env: textMap,
  image: text(),
  ports: list(text({ pattern: /^[^,]*$/ })),
  registry: nullable(text()),
}

/** Fields of a template, with those of the request in their place. */
export function mergeContainer<T extends TemplateFields>(before: T, input: ContainerInput): T {
  return {
    ...before,
    dockerArgs: input.args ?? before.dockerArgs,
    containerDiskInGb: input.disk ?? before.containerDiskInGb,
    env: input.env ? toVariables(input.env) : before.env,
    imageName: input.image ?? before.imageName,
    ports: input.ports ? input.ports.join(',') : before.ports,
    containerRegistryAuthId:
      input.registry === undefined ? before.containerRegistryAuthId : (input.registry ?? ''),
  }
}

/** Whether a request says anything about the container. */
export function hasContainer(input: ContainerInput): boolean {
  return Object.keys(containerShapes).some((field) => input[field as keyof ContainerInput] !== undefined)
}

/** The container of a template, as requests write it; variables of the request win. */
export function fromTemplate(template: TemplateRecord, input: ContainerInput): ContainerInput {
  const { args, disk, env, image, ports, registry } = toContainer(template)
  return {
    args: input.args ?? args,
    disk: input.disk ?? disk,
    env: { ...env, ...input.env },
    image: input.image ?? image,
    ports: input.ports ?? ports,
    registry: input.registry === undefined ? registry : input.registry,
  }
}

export function toContainer(template: TemplateFields) {
  return {
    image: template.imageName,
    args: template.dockerArgs,
    disk: template.containerDiskInGb,
    ports: toPorts(template.ports),
    env: toEnv(template.env),
    registry: template.containerRegistryAuthId || null,
  }
}

export function toEnv(env: Variable[]): Record<string, string> {
  return Object.fromEntries(env.map(({ key, value }) => [key, value]))
}

export function toVariables(env: Record<string, string>): Variable[] {
  return Object.entries(env).map(([key, value]) => ({ key, value }))
}

function toPorts(ports: string): string[] {
  return ports
    .split(',')
    .map((port) => port.trim())
    .filter((port) => port !== '')
}
