// Lints of the interface: TypeScript's recommended rules, the rules of hooks, and the house's own bans.

import hooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist", "node_modules", "app/api/types.gen.ts"] },
  ...tseslint.configs.recommended,
  {
    plugins: { "react-hooks": hooks },
    rules: {
      "react-hooks/rules-of-hooks": "error",
      "react-hooks/exhaustive-deps": "error",
      "no-console": "error",
      eqeqeq: ["error", "smart"],
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-non-null-assertion": "error",
      "max-lines": ["error", 500],
      "no-restricted-globals": [
        "error",
        { name: "fetch", message: "Use call() of api/client: it knows session, errors and language." },
        { name: "alert", message: "Use a dialog or a toast." },
        { name: "confirm", message: "Use a dialog." },
      ],
      "no-restricted-syntax": [
        "error",
        { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: "Text is never HTML here." },
      ],
    },
  },
  { files: ["app/api/client.ts", "scripts/**"], rules: { "no-restricted-globals": "off", "no-console": "off" } },
);
