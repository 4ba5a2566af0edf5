/** A README.md whose beginning is YAML. */
export interface FrontMatter {
  /** The line of `---` before it, with what stands before that. */
  readonly opening: string
  readonly yaml: string
  /** The line of `---` behind it, and the rest of the text. */
  readonly rest: string
}

/**
 * Finds the YAML at the beginning of a README.md, between two lines of `---`; undefined where there is none. The Hub and
 * huggingface_hub find it by the same rule; two such lines further down are rules across the page.
 */
export function splitFrontMatter(text: string): FrontMatter | undefined {
  const pattern = /^(\s*---[ \t]*(?:\r\n|\r|\n))((?:[^]*?(?:\r\n|\r|\n))??)---[ \t]*(?:\r|\n|$)/
  const [, opening, yaml] = pattern.exec(text) ?? []
  if (opening === undefined || yaml === undefined) return undefined
  return { opening, yaml, rest: text.slice(opening.length + yaml.length) }
}

/** The YAML of {@link splitFrontMatter} alone. */
export function frontMatterOf(text: string): string | undefined {
  return splitFrontMatter(text)?.yaml
}
