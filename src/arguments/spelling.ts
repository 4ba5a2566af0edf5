/** `perDeviceTrainBatchSize` → `per_device_train_batch_size`: the spelling of Python and of files. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
}

/** `per_device_train_batch_size` or `per-device-train-batch-size` → `perDeviceTrainBatchSize`. */
export function camelCase(name: string): string {
  return name.replace(/(?<=.)[_-]+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/** The object with every key respelt, in nested objects too; lists and values are unchanged. */
export function respell(value: unknown, spell: (name: string) => string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [spell(name), respell(inner, spell)]))
}
