import type { GlobalVolume as GlobalVolumeData, NetworkVolume as NetworkVolumeData } from '@flash/protocol'

/** Storage in one data centre that outlives workers; code finds it at the path in `FLASH_VOLUME`. */
export type NetworkVolume = NetworkVolumeData

/** The same as writing `{ kind: 'network', … }`. Needs a `name` or an `id`. */
export function NetworkVolume<const V extends Omit<NetworkVolumeData, 'kind'>>(
  volume: V,
): V & { readonly kind: 'network' } {
  return { ...volume, kind: 'network' }
}

/** Storage that workers in every data centre share; for GPU endpoints. */
export type GlobalVolume = GlobalVolumeData

/** The same as writing `{ kind: 'global', … }`. Needs a `name` or an `id`. */
export function GlobalVolume<const V extends Omit<GlobalVolumeData, 'kind'>>(
  volume: V,
): V & { readonly kind: 'global' } {
  return { ...volume, kind: 'global' }
}
