// what the environment says to trackers

/** A variable without blanks around it; undefined where it is empty. */
export function variable(name: string): string | undefined {
  return process.env[name]?.trim() || undefined
}

/** Whether a variable is what transformers takes for true: `1`, `on`, `yes`, `true`. */
export function isOn(name: string): boolean {
  return /^(?:1|on|yes|true)$/i.test(variable(name) ?? '')
}
