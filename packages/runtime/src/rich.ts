/** The codec for everything that is not plain JSON, loaded with the first such value. */
export {
  decodeInline,
  decodeValue,
  encodeForFetch,
  encodeMessage,
  encodeMessageChunks,
  encodeValue,
} from '@flash/protocol'
