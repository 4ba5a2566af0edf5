/** What a head for rows predicts, in Hugging Face's words. */
export const problemTypes = ['regression', 'single_label_classification', 'multi_label_classification'] as const
export type ProblemType = (typeof problemTypes)[number]
