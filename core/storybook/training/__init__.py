"""Makes the Storybook model: packs pictures, trains codec, network and judge, measures, exports."""
