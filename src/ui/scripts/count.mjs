// A reporter for vitest that says the result as cargo does, so that scripts/test.sh counts all tests in one way.

export default class Count {
  onTestRunEnd(modules) {
    let passed = 0;
    let failed = 0;
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        if (test.result().state === "failed") failed += 1;
        else if (test.result().state === "passed") passed += 1;
      }
    }
    console.log(`test result: ${failed ? "FAILED" : "ok"}. ${passed} passed; ${failed} failed`);
  }
}
