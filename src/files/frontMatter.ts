/**
 * The YAML at the beginning of a README.md, between two lines of `---`; undefined where there is none. The Hub and
 * huggingface_hub find it by the same rule.
 */
export function frontMatterOf(text: string): string | undefined {
  return /^\uFEFF?\s*---[ \t]*(?:\r\n|\r|\n)([^]*?)^---[ \t]*(?:\r|\n|$(?![^]))/m.exec(text)?.[1]
}
