"""Keywords of RuNNer that change no potential: of its training, its output and its other tasks."""

from __future__ import annotations

_NAMES = """
    analyze_composition analyze_error analyze_error_charge_step analyze_error_energy_step analyze_error_force_step
    atom_mass biasweights_max biasweights_min calculate_final_force calculate_frequencies calculate_hessian
    calculate_normalmodes charge_error_threshold charge_fraction charge_group charge_grouping_by_structure
    charge_update_scaling check_forces check_input_forces data_clustering debug_mode detailed_timing
    detailed_timing_epoch detect_saturation dynamic_force_grouping element_decoupled_forces_v2
    element_decoupled_kalman enable_on_the_fly_input energy_threshold enforce_max_num_neighbors_atomic
    enforce_totcharge environment_analysis ewald_alpha ewald_cutoff ewald_kmax find_contradictions fitmode
    fitting_unit fix_weights fixed_charge fixed_short_energy_error_threshold fixed_short_force_error_threshold
    force_grouping_by_structure force_threshold force_update_scaling growth_mode
    initialization_only ion_forces_only joint_energy_force_update kalman_damp_charge kalman_damp_force
    kalman_damp_short kalman_lambda_charge kalman_lambda_charge_constraint kalman_nue_charge
    kalman_nue_charge_constraint max_energy max_force maxnum_extrapolation_warnings md_mode nblock noise_charge
    noise_energy noise_force optmode_charge parallel_mode prepare_md print_all_deshortdw print_all_dfshortdw
    print_all_electrostatic_weights print_all_short_weights print_convergence_vector print_date_and_time
    print_force_components print_mad print_sensitivity random_number_type random_order_training
    read_kalman_matrices read_unformatted reset_kalman restrict_weights rmse_threshold rmse_threshold_charge
    rmse_threshold_trials_energy rmse_threshold_trials_force rmse_threshold_trials_charge save_kalman_matrices
    scale_max_elec scale_min_elec selection_mode_charge selection_mode_energy selection_mode_force
    separate_bias_ini_short separate_kalman_short short_energy_group short_force_group shuffle_weights_short
    silent_mode steepest_descent_step_charge steepest_descent_step_energy_short steepest_descent_step_force_short
    symfunction_correlation task_batch_size_charge total_charge_error_threshold update_single_element
    update_worst_charges update_worst_short_energies update_worst_short_forces use_atom_charges use_atom_energies
    use_charge_constraint use_damping use_noisematrix use_old_scaling use_omp_mkl use_sf_groups
    use_systematic_weights_short vdw_coefficient vdw_screening vdw_type weight_analysis weight_constraint
    weighte_constraint weightse_max weightse_min write_binding_energy_only write_fit_statistics write_pdb
    write_pov write_pwscf write_symfunctions write_temporary_weights write_traincharges write_unformatted
    write_xyz four_pi_epsilon fixed_gausswidth initial_hardness screen_electrostatics ewald_prec
    ewald_truncation_error_method
"""

RUNNER_KEYWORDS = frozenset(_NAMES.split())
"""Names in lower case."""
