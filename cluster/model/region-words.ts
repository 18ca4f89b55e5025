/** What sentences call a region: `region eu`, and `region-2` without the word twice. */
export const regionNamed = (id: string): string => (/^region\b/i.test(id) ? id : `region ${id}`);
