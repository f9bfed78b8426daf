"""How the Storybook model is made: pack pictures, train codec, network and judge, measure, export."""
