// Types of the generator, for the test that compares its output with the committed file.
export function generate(text: string): string;
