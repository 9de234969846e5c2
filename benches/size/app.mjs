// What a page that runs the guest bundles: the driver of the loop and nothing else.
export { instantiate } from "kippu/core";
