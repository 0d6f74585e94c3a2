terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "endpoint" {
  type = string
}

provider "aws" {
  region                      = "us-east-1"
  skip_credentials_validation = true
  skip_requesting_account_id  = false
  skip_metadata_api_check     = true
  endpoints {
    codepipeline = var.endpoint
    sts          = var.endpoint
  }
}

resource "aws_codepipeline_custom_action_type" "oven" {
  category      = "Build"
  provider_name = "Oven"
  version       = "1"
  input_artifact_details {
    minimum_count = 0
    maximum_count = 1
  }
  output_artifact_details {
    minimum_count = 0
    maximum_count = 1
  }
}

resource "aws_codepipeline" "shop" {
  name          = "shop"
  role_arn      = "arn:aws:iam::111122223333:role/shop"
  pipeline_type = "V2"
  artifact_store {
    type     = "S3"
    location = "shop-artifacts"
  }
  stage {
    name = "Source"
    action {
      name             = "Fetch"
      category         = "Source"
      owner            = "ThirdParty"
      provider         = "GitHub"
      version          = "1"
      output_artifacts = ["Code"]
      configuration = {
        Owner      = "me"
        Repo       = "shop"
        Branch     = "main"
        OAuthToken = "s3cret"
      }
    }
  }
  stage {
    name = "Bake"
    action {
      name            = "Bake"
      category        = "Build"
      owner           = "Custom"
      provider        = aws_codepipeline_custom_action_type.oven.provider_name
      version         = "1"
      input_artifacts = ["Code"]
    }
  }
  tags = { team = "shop" }
}

resource "aws_codepipeline_webhook" "hook" {
  name            = "hook"
  authentication  = "IP"
  target_action   = "Fetch"
  target_pipeline = aws_codepipeline.shop.name
  authentication_configuration {
    allowed_ip_range = "127.0.0.0/8"
  }
  filter {
    json_path    = "$.ref"
    match_equals = "refs/heads/{Branch}"
  }
}
