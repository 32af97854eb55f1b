"""NIR, the Neuromorphic Intermediate Representation: networks of other platforms read in and written out.

A `.nir` file is HDF5: a graph of nodes, each a differential equation or a linear map, in SI units and in
continuous time. `import_nir` makes a network file of it, `export_nir` writes one.
Source: Pedersen et al. (2024), Neuromorphic intermediate representation, Nat. Commun. 15:8122.
"""
