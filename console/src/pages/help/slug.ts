/** The name by which links reach a heading, as on GitHub: `Behind a reverse proxy` → `behind-a-reverse-proxy`. */
export function slugOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-')
}
