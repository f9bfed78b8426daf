"""Making the Storybook model: pack pictures, train the codec and the network, export a folder."""
